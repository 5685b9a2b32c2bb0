{{- /* Parts of a service that all templates share. Every template that ships has the same text of this file. */ -}}

{{- /* The name of the stack as proxies and DNS like it. */ -}}
{{- define "service.slug" -}}
{{ .Stack.Name | lower | replace "." "-" | replace "_" "-" }}
{{- end }}

{{- /* What a service says of its container, but for the image. Takes the service's values. */ -}}
{{- define "service.container" -}}
{{- with .entrypoint }}
entrypoint: {{ toRawJson . }}
{{- end }}
{{- with .command }}
command: {{ toRawJson . }}
{{- end }}
{{- /* 0 is root, and 0 of a mode is nobody: empty in Go, but said. */}}
{{- if not (has .user (list nil "")) }}
user: {{ .user | toString | quote }}
{{- end }}
{{- with .env }}
environment:
  {{- range $name, $value := . }}
  {{ quote $name }}: {{ $value | toString | quote }}
  {{- end }}
{{- end }}
{{- with .secrets }}
secrets:
  {{- range $name, $secret := . }}
  - source: {{ quote $name }}
    target: {{ $secret.target | default $name | quote }}
    {{- if not (kindIs "invalid" $secret.mode) }}
    mode: {{ $secret.mode }}
    {{- end }}
  {{- end }}
{{- end }}
{{- with .configs }}
configs:
  {{- range $name, $config := . }}
  - source: {{ quote $name }}
    target: {{ required (printf "configs.%s needs target: the path of the file in the container" $name) $config.target | quote }}
    {{- if not (kindIs "invalid" $config.mode) }}
    mode: {{ $config.mode }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if or .volumes .mounts }}
volumes:
  {{- range $name, $volume := .volumes }}
  - type: volume
    source: {{ quote $name }}
    target: {{ required (printf "volumes.%s needs target: the directory in the container" $name) $volume.target | quote }}
    {{- if $volume.readOnly }}
    read_only: true
    {{- end }}
  {{- end }}
  {{- range .mounts }}
  - {{ quote . }}
  {{- end }}
{{- end }}
{{- with .stopGracePeriod }}
stop_grace_period: {{ . }}
{{- end }}
{{- end }}

{{- /* Takes the values of a healthcheck. Without a test they are about the image's own. */ -}}
{{- define "service.healthcheck" -}}
{{- $check := pick . "interval" "timeout" "retries" "startPeriod" }}
{{- if .test }}
{{- $check = merge $check (dict "interval" "15s" "timeout" "5s" "retries" 3 "startPeriod" "20s") }}
{{- end }}
{{- if or .test (values $check | compact) }}
healthcheck:
  {{- with .test }}
  test: {{ toRawJson . }}
  {{- end }}
  {{- with $check.interval }}
  interval: {{ . }}
  {{- end }}
  {{- with $check.timeout }}
  timeout: {{ . }}
  {{- end }}
  {{- with $check.retries }}
  retries: {{ . }}
  {{- end }}
  {{- with $check.startPeriod }}
  start_period: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* How a service is run, but for mode, replicas and labels. Takes the service's values. */ -}}
{{- define "service.deploy" -}}
{{- with .update }}
update_config:
  parallelism: {{ .parallelism }}
  delay: {{ .delay }}
  order: {{ .order }}
  failure_action: {{ .failureAction }}
  monitor: {{ .monitor }}
rollback_config:
  parallelism: {{ .parallelism }}
  order: {{ .order }}
{{- end }}
{{- with .restart }}
restart_policy:
  condition: {{ .condition }}
  delay: {{ .delay }}
{{- end }}
{{- with .constraints }}
placement:
  constraints: {{ toRawJson . }}
{{- end }}
{{- with .resources }}
{{- if or .limits .reservations }}
resources:
  {{- range $kind := list "limits" "reservations" }}
  {{- with index $.resources $kind }}
  {{ $kind }}:
    {{- with .cpus }}
    cpus: {{ . | toString | quote }}
    {{- end }}
    {{- with .memory }}
    memory: {{ . | toString | quote }}
    {{- end }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The shared objects that services' values name. Takes a list of services' values. */ -}}
{{- define "service.objects" -}}
{{- $secrets := dict }}
{{- $configs := dict }}
{{- $volumes := dict }}
{{- range . }}
{{- $secrets = merge $secrets (deepCopy (.secrets | default dict)) }}
{{- $configs = merge $configs (deepCopy (.configs | default dict)) }}
{{- $volumes = merge $volumes (deepCopy (.volumes | default dict)) }}
{{- end }}
{{- range $kind := list "secrets" "configs" }}
{{- with ternary $secrets $configs (eq $kind "secrets") }}
{{ $kind }}:
  {{- range $name, $object := . }}
  {{ quote $name }}:
    {{- if and $object.file $object.external }}
    {{- fail (printf "%s.%s has file and external: it is made from the one, or exists as the other" $kind $name) }}
    {{- end }}
    {{- if $object.external }}
    external: true
    name: {{ quote $object.external }}
    {{- else }}
    file: {{ required (printf "%s.%s needs file: (of this directory) or external: (the name of one that exists)" $kind $name) $object.file | quote }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- with $volumes }}
volumes:
  {{- range $name, $volume := . }}
  {{- if $volume.external }}
  {{ quote $name }}:
    external: true
    name: {{ quote $volume.external }}
  {{- else }}
  {{ quote $name }}: {}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* Labels with which a service asks Traefik to be seen. Takes a dict of name, proxy, port. */ -}}
{{- define "service.proxy" -}}
{{- $proxy := .proxy }}
{{- $hosts := $proxy.hosts }}
{{- if not $hosts }}
{{- fail "proxy.hosts is empty: name the host under which the application is seen, or set proxy.enabled to false" }}
{{- end }}
{{- if and $proxy.certResolver (not $proxy.tls) }}
{{- fail "proxy.certResolver is for HTTPS: set proxy.tls to true" }}
{{- end }}
traefik.enable: "true"
{{- if eq (int $proxy.traefik) 1 }}
{{- /* All hosts of a rule must be of one kind; the pattern of a plain name is that name. */}}
{{- $names := join "," $hosts }}
{{- $kind := contains "*" $names | ternary "HostRegexp" "Host" }}
traefik.frontend.rule: {{ printf "%s:%s%s" $kind (replace "*" "{subdomain:[^.]+}" $names) (empty $proxy.path | ternary "" (printf ";PathPrefix:%s" $proxy.path)) | quote }}
traefik.port: {{ .port | toString | quote }}
traefik.docker.network: {{ quote $proxy.network }}
{{- with $proxy.entrypoints }}
traefik.frontend.entryPoints: {{ join "," . | quote }}
{{- end }}
{{- else }}
{{- $rules := list }}
{{- range $hosts }}
{{- if not (hasPrefix "*" .) }}
{{- $rules = append $rules (printf "Host(`%s`)" .) }}
{{- else if eq (int $proxy.traefik) 2 }}
{{- $rules = append $rules (printf "HostRegexp(`{subdomain:[^.]+}%s`)" (trimPrefix "*" .)) }}
{{- else }}
{{- $rules = append $rules (printf "HostRegexp(`^[^.]+%s$$`)" (trimPrefix "*" . | replace "." "\\.")) }}
{{- end }}
{{- end }}
{{- $rule := join " || " $rules }}
{{- with $proxy.path }}
{{- $rule = printf "(%s) && PathPrefix(`%s`)" $rule . }}
{{- end }}
traefik.http.routers.{{ .name }}.rule: {{ quote $rule }}
{{- with $proxy.entrypoints }}
traefik.http.routers.{{ $.name }}.entrypoints: {{ join "," . | quote }}
{{- end }}
{{- if $proxy.tls }}
traefik.http.routers.{{ .name }}.tls: "true"
{{- with $proxy.certResolver }}
traefik.http.routers.{{ $.name }}.tls.certresolver: {{ quote . }}
{{- end }}
{{- end }}
traefik.http.services.{{ .name }}.loadbalancer.server.port: {{ .port | toString | quote }}
traefik.{{ eq (int $proxy.traefik) 2 | ternary "docker" "swarm" }}.network: {{ quote $proxy.network }}
{{- end }}
{{- end }}
