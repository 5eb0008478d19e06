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
{{- end -}}
{{- end -}}
