{{/* Labels of an object that Prometheus' operator or Grafana selects. Takes a list: the root, the component, more labels. */}}
{{- define "genpool.monitoringLabels" -}}
{{ include "genpool.labels" (list (index . 0) (index . 1)) }}
{{- with index . 2 }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A group with the alert that a program is silent. Takes a list: the root, the program, what that means. */}}
{{- define "genpool.silentRules" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $text := $root.Files.Get "files/monitoring/silent.yaml" -}}
{{- $text = replace "@anchor@" (printf "genpool%ssilent" $name) $text -}}
{{- $text = replace "@runbook@" $root.Values.monitoring.prometheusRule.runbookUrl $text -}}
{{- $text = replace "@effect@" (index . 2) $text -}}
{{- $text = replace "@job@" (printf "%s-%s" (include "genpool.fullname" $root) $name) $text -}}
{{- $text = replace "@namespace@" $root.Release.Namespace $text -}}
{{- $text = replace "@title@" (title $name) $text -}}
{{- $text = replace "@name@" $name $text -}}
{{- $text | fromYaml | toYaml -}}
{{- end -}}

{{/* A program's ServiceMonitor. Takes a list: the root, the program, whether its own labels go before the target's. */}}
{{- define "genpool.serviceMonitor" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $monitor := $root.Values.monitoring.serviceMonitor -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "genpool.fullname" $root }}-{{ $name }}
  labels:
    {{- include "genpool.monitoringLabels" (list $root $name $monitor.labels) | nindent 4 }}
spec:
  selector:
    matchLabels:
      {{- include "genpool.selector" (list $root $name) | nindent 6 }}
  endpoints:
    - port: http
      path: /metrics
      interval: {{ $monitor.interval }}
      {{- if index . 2 }}
      # Its figures carry the namespace of their pool.
      honorLabels: true
      {{- end }}
{{- end -}}
