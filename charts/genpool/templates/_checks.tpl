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
{{- if .Values.gateway.enabled -}}
{{- include "genpool.gatewayChecks" .Values.gateway -}}
{{- end -}}
{{- end -}}

{{/* Mistakes in gateway. Takes its values. */}}
{{- define "genpool.gatewayChecks" -}}
{{- if and (gt (int .replicas) 1) (not .database.existingSecret) -}}
{{- fail (printf "\n\ngateway: %d replicas need PostgreSQL, and gateway.database.existingSecret is empty: one SQLite file is written by one gateway only. Set it to a Secret with the URL of a database, or gateway.replicas to 1.\n" (int .replicas)) -}}
{{- end -}}
{{- if not .database.existingSecret -}}
{{- if and (not .persistence.enabled) (not .persistence.ephemeral) -}}
{{- fail "\n\ngateway: without a volume and without PostgreSQL all tasks and API keys would be forgotten with the pod. Set gateway.persistence.enabled to true, or gateway.database.existingSecret to a Secret with the URL of a database; for development alone, gateway.persistence.ephemeral to true.\n" -}}
{{- end -}}
{{- if and .persistence.enabled .persistence.ephemeral -}}
{{- fail "\n\ngateway: persistence.enabled and persistence.ephemeral contradict each other. Set enabled to false for a gateway that forgets its tasks with the pod, or ephemeral to false.\n" -}}
{{- end -}}
{{- end -}}
{{- $seen := dict -}}
{{- range .stores -}}
{{- $where := .endpoint | default "AWS" -}}
{{- /* A URL may carry a password, and these values go into a ConfigMap: they are not shown here either. */ -}}
{{- range list (.endpoint | default "") (.publicEndpoint | default "") -}}
{{- if not (regexMatch "^(https?://[^?#@]+)?$" .) -}}
{{- fail "\n\ngateway: endpoint and publicEndpoint of gateway.stores must be plain http or https URLs, without user, password and query, such as https://s3.example.com. Keys go into the Secret that existingSecret names.\n" -}}
{{- end -}}
{{- end -}}
{{- $name := printf "%s %s" (lower (trimSuffix "/" $where)) .bucket -}}
{{- if hasKey $seen $name -}}
{{- fail (printf "\n\ngateway: the bucket %q of %s is twice in gateway.stores. List each bucket once.\n" .bucket $where) -}}
{{- end -}}
{{- $_ := set $seen $name true -}}
{{- end -}}
{{- if .ingress.enabled -}}
{{- if not .ingress.host -}}
{{- fail "\n\ngateway: ingress.enabled needs ingress.host, the host name of the API: without it the Ingress would take the requests for all hosts.\n" -}}
{{- end -}}
{{- if eq .authentication "none" -}}
{{- fail "\n\ngateway: authentication is none, and an Ingress would make everybody who reaches it an administrator. Set gateway.authentication to keys, or gateway.ingress.enabled to false.\n" -}}
{{- end -}}
{{- end -}}
{{- end -}}
