{{/* Where tasks and files are kept: what the gateway is told, and what it mounts. */}}

{{- define "genpool.gatewayClaim" -}}
{{ default (printf "%s-gateway" (include "genpool.fullname" .)) .Values.gateway.persistence.existingClaim }}
{{- end -}}

{{- define "genpool.storesName" -}}
{{ include "genpool.fullname" . }}-gateway-stores
{{- end -}}

{{/* stores.yaml, as the gateway reads it. */}}
{{- define "genpool.storesFile" -}}
{{- if .Values.gateway.stores -}}
stores:
{{- range $index, $store := .Values.gateway.stores }}
  - bucket: {{ $store.bucket | quote }}
    {{- with $store.endpoint }}
    endpoint: {{ . | quote }}
    {{- end }}
    {{- with $store.publicEndpoint }}
    publicEndpoint: {{ . | quote }}
    {{- end }}
    {{- with $store.region }}
    region: {{ . | quote }}
    {{- end }}
    {{- if $store.existingSecret }}
    credentialsPath: {{ printf "/etc/genpool-store-credentials/%d" $index | quote }}
    {{- end }}
{{- end }}
{{- else -}}
stores: []
{{- end }}
{{- end -}}

{{/* Environment of the gateway alone. Takes its values. */}}
{{- define "genpool.gatewayEnv" -}}
- name: GENPOOL_API_PORT
  value: "8000"
{{- if .database.existingSecret }}
- name: GENPOOL_DATABASE_URL_FILE
  value: /etc/genpool-database/{{ .database.key }}
{{- else }}
- name: GENPOOL_DATABASE_URL
  value: sqlite:////var/lib/genpool/tasks.db
{{- end }}
- name: GENPOOL_STORES_FILE
  value: /etc/genpool-stores/stores.yaml
- name: GENPOOL_AUTHENTICATION
  value: {{ .authentication }}
- name: GENPOOL_REQUESTS_PER_SECOND
  value: {{ .requestsPerSecond | int | quote }}
{{- with .publicUrl }}
- name: GENPOOL_PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
{{- with .trustedProxies }}
- name: GENPOOL_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
- name: GENPOOL_TRUSTED_PROXY_HEADER
  value: {{ .trustedProxyHeader | quote }}
{{- with .corsOrigins }}
- name: GENPOOL_CORS_ORIGINS
  value: {{ join "," . | quote }}
{{- end }}
{{- end -}}

{{/* Takes the gateway's values. */}}
{{- define "genpool.gatewayMounts" -}}
- name: stores
  mountPath: /etc/genpool-stores
  readOnly: true
{{- if .database.existingSecret }}
- name: database
  mountPath: /etc/genpool-database
  readOnly: true
{{- else }}
- name: tasks
  mountPath: /var/lib/genpool
{{- end }}
{{- range $index, $store := .stores }}
{{- if $store.existingSecret }}
- name: store-{{ $index }}
  mountPath: /etc/genpool-store-credentials/{{ $index }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "genpool.gatewayVolumes" -}}
{{- $program := .Values.gateway -}}
- name: stores
  configMap:
    name: {{ include "genpool.storesName" . }}
{{- if $program.database.existingSecret }}
- name: database
  secret:
    secretName: {{ $program.database.existingSecret }}
    items: [{key: {{ $program.database.key }}, path: {{ $program.database.key }}}]
{{- else if $program.persistence.enabled }}
- name: tasks
  persistentVolumeClaim:
    claimName: {{ include "genpool.gatewayClaim" . }}
{{- else }}
- name: tasks
  emptyDir:
    sizeLimit: {{ $program.persistence.size }}
{{- end }}
{{- range $index, $store := $program.stores }}
{{- with $store.existingSecret }}
- name: store-{{ $index }}
  secret:
    secretName: {{ . }}
    items:
      - {key: AWS_ACCESS_KEY_ID, path: AWS_ACCESS_KEY_ID}
      - {key: AWS_SECRET_ACCESS_KEY, path: AWS_SECRET_ACCESS_KEY}
{{- end }}
{{- end }}
{{- end -}}
