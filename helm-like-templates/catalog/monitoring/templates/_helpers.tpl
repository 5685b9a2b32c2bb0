{{- /* A job whose targets are all tasks of one of this stack's services. Takes a dict of name, service, port. */ -}}
{{- define "monitoring.job" -}}
job_name: {{ .name }}
dns_sd_configs:
  - names: [tasks.{{ .service }}]
    type: A
    port: {{ .port }}
{{- end }}
