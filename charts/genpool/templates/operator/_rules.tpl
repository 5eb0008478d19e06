{{/* What the operator may do in the namespaces of pools: exactly what it does. */}}
{{- define "genpool.poolRules" -}}
- apiGroups: [genpool.dev]
  resources: [generationpools]
  verbs: [get, list, watch]
- apiGroups: [genpool.dev]
  resources: [generationpools/status]
  verbs: [get, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [get, patch]
# The workers' configuration; and the workflows that pools bring in ConfigMaps of their own.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch]
# The workers' logins and the secrets that sign callbacks: one Secret each in a namespace of pools. It reads none.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [genpool-worker-logins, genpool-callback-secrets]
  verbs: [create, patch]
# Patch: the annotations that say which pod may go first, and what its image was. Delete: a pod whose ComfyUI a restart does not mend.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* What it needs in the release's namespace: its keys, which it makes and reads, and what it writes for the gateway. */}}
{{- define "genpool.releaseRules" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "genpool.keyName" . }}]
  verbs: [get, create, patch]
{{- if .Values.gateway.enabled }}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "genpool.gatewaySecretName" . }}]
  verbs: [create, patch]
{{- end }}
# The UID of this namespace tells its users on the brokers from those of other installations.
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [{{ .Release.Namespace }}]
  verbs: [get]
{{- end -}}

{{/* What it needs of the whole cluster in any case. */}}
{{- define "genpool.clusterRules" -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get, list, watch]
{{- if .Values.operator.namespaces }}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
{{- end }}
{{- end -}}
