{{- define "genpool.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "genpool.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "genpool.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that select: they can never change. Takes a list: the root, the component. */}}
{{- define "genpool.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "genpool.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of an object. Takes a list: the root, the component. */}}
{{- define "genpool.labels" -}}
{{- $root := index . 0 -}}
{{ include "genpool.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/part-of: genpool
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Full name of an image. Takes a list: the root, the image's values. */}}
{{- define "genpool.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $name := printf "%s:%s" $image.repository (default $root.Chart.AppVersion $image.tag) -}}
{{- with $root.Values.image.registry -}}
{{- printf "%s/%s" (trimSuffix "/" .) $name -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/* Pull policy of an image, or nothing. Takes a list: the root, the image's values. */}}
{{- define "genpool.pullPolicy" -}}
{{- default (index . 0).Values.image.pullPolicy (index . 1).pullPolicy -}}
{{- end -}}

{{- define "genpool.brokersName" -}}
{{ include "genpool.fullname" . }}-brokers
{{- end -}}

{{/* Secrets that the operator makes: its own keys, and what the gateway gets. */}}
{{- define "genpool.keyName" -}}
{{ include "genpool.fullname" . }}-operator-key
{{- end -}}

{{- define "genpool.gatewaySecretName" -}}
{{ include "genpool.fullname" . }}-gateway
{{- end -}}

{{/* brokers.yaml, as operator and gateway read it. */}}
{{- define "genpool.brokersFile" -}}
brokers:
{{- range .Values.brokers }}
  - name: {{ .name | quote }}
    host: {{ .host | quote }}
    port: {{ default 5672 .port | int }}
    tls: {{ default false .tls }}
    managementUrl: {{ default (printf "http://%s:15672" .host) .managementUrl | quote }}
    credentialsPath: {{ printf "/etc/genpool-credentials/%s" .name | quote }}
    {{- if .ca }}
    caFile: {{ printf "/etc/genpool-ca/%s/%s" .name (default "ca.crt" .ca.key) | quote }}
    {{- end }}
    vhosts: {{ default (list "/") .vhosts | toJson }}
    namespaces: {{ default (list) .namespaces | toJson }}
{{- end }}
{{- end -}}

{{/* What operator and gateway mount. */}}
{{- define "genpool.volumes" -}}
- name: brokers
  configMap:
    name: {{ include "genpool.brokersName" . }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- range $index, $broker := .Values.brokers }}
{{- with $broker.ca }}
- name: broker-ca-{{ $index }}
  {{- if .existingSecret }}
  secret:
    secretName: {{ .existingSecret }}
    items: [{key: {{ default "ca.crt" .key }}, path: {{ default "ca.crt" .key }}}]
  {{- else }}
  configMap:
    name: {{ .existingConfigMap }}
    items: [{key: {{ default "ca.crt" .key }}, path: {{ default "ca.crt" .key }}}]
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "genpool.mounts" -}}
- name: brokers
  mountPath: /etc/genpool
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- range $index, $broker := .Values.brokers }}
{{- if $broker.ca }}
- name: broker-ca-{{ $index }}
  mountPath: /etc/genpool-ca/{{ $broker.name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{/* The administrators' logins, which the operator alone mounts. */}}
{{- define "genpool.credentialVolumes" -}}
{{- range $index, $broker := .Values.brokers }}
- name: broker-{{ $index }}
  secret:
    secretName: {{ $broker.existingSecret }}
{{- end }}
{{- end -}}

{{- define "genpool.credentialMounts" -}}
{{- range $index, $broker := .Values.brokers }}
- name: broker-{{ $index }}
  mountPath: /etc/genpool-credentials/{{ $broker.name }}
  readOnly: true
{{- end }}
{{- end -}}

{{/* Environment that operator and gateway share. Takes the program's values. */}}
{{- define "genpool.env" -}}
- name: GENPOOL_BROKERS_FILE
  value: /etc/genpool/brokers.yaml
- name: GENPOOL_HTTP_PORT
  value: "8080"
- name: GENPOOL_LOG_FORMAT
  value: {{ .logFormat }}
- name: GENPOOL_LOG_LEVEL
  value: {{ .logLevel }}
{{- end -}}

{{/* Security of a pod. Takes the program's values: an empty map is a choice, null is none. */}}
{{- define "genpool.podSecurity" -}}
{{- if not (kindIs "invalid" .podSecurityContext) -}}
{{ toYaml .podSecurityContext }}
{{- else -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- end -}}

{{- define "genpool.containerSecurity" -}}
{{- if not (kindIs "invalid" .containerSecurityContext) -}}
{{ toYaml .containerSecurityContext }}
{{- else -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
{{- end -}}

{{/* Where the pods run. Takes the program's values. */}}
{{- define "genpool.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
