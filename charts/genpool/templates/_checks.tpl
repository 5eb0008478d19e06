{{/* Mistakes that the schema cannot see. */}}
{{- define "genpool.checks" -}}
{{- if not .Values.brokers -}}
{{- fail "\n\nGenPool needs a RabbitMQ: set brokers. A first one:\n\n  kubectl -n NAMESPACE create secret generic genpool-broker --from-literal=username=ADMIN --from-literal=password=…\n  helm … --set 'brokers[0].name=default,brokers[0].host=RABBITMQ-HOST,brokers[0].existingSecret=genpool-broker'\n" -}}
{{- end -}}
{{- $seen := dict -}}
{{- range .Values.brokers -}}
{{- if hasKey $seen .name -}}
{{- fail (printf "\n\nbrokers: the name %q is there twice. Give each broker a name of its own.\n" .name) -}}
{{- end -}}
{{- $_ := set $seen .name true -}}
{{- /* A URL may carry a password, and this value goes into a ConfigMap: it is not shown here either. */ -}}
{{- if not (regexMatch "^([0-9A-Za-z]([0-9A-Za-z._-]*[0-9A-Za-z])?|[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*)$" .host) -}}
{{- fail (printf "\n\nbrokers: host of broker %q is not a host name. Give the name alone, such as rabbitmq.messaging.svc; the port goes into port, TLS into tls, the vhosts into vhosts, and user and password into the Secret that existingSecret names.\n" .name) -}}
{{- end -}}
{{- with .ca }}{{ if eq (empty .existingSecret) (empty .existingConfigMap) -}}
{{- fail "\n\nbrokers: ca names either existingSecret or existingConfigMap, whose key (ca.crt unless key says so) holds certificates in PEM.\n" -}}
{{- end }}{{ end -}}
{{- if not (regexMatch "^(https?://[^?#@]+)?$" (.managementUrl | default "")) -}}
{{- fail (printf "\n\nbrokers: managementUrl of broker %q is not a plain http or https URL. Give it without user, password and query, such as https://rabbitmq.messaging.svc:15671; user and password go into the Secret that existingSecret names.\n" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
