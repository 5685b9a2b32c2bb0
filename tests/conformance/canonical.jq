# What is compared and recorded, in one form: ids are names, what changes from run to run is gone.
# See README.md, "The record".

# A folder's own path, wherever it stands, is @DIR@, and what is beside it begins with @PARENT@.
def anywhere($dir):
  ($dir | sub("/[^/]*$"; "")) as $parent
  | walk(if type == "string" then
      split($dir) | join("@DIR@") | split($parent + "/") | join("@PARENT@/") else . end);

# The order of two references to one object is random in the CLI (C6.4).
def sort_references:
  if .TaskTemplate.ContainerSpec.Secrets? then
    .TaskTemplate.ContainerSpec.Secrets |= sort_by(.SecretName, .File.Name) else . end
  | if .TaskTemplate.ContainerSpec.Configs? then
    .TaskTemplate.ContainerSpec.Configs |= sort_by(.ConfigName, .File.Name) else . end;

# $names: {id: name} of every network, secret and config.
def name_ids($names):
  walk(if type == "string" then $names[.] // . else . end);

def names: [(.[1][], .[4:][]) | select(.Id) | {key: .Id, value: .Name}] + [.[2][], .[3][] | {key: .ID, value: .Spec.Name}]
  | from_entries;

# Skep's own object labels are no difference (issue 3).
def without_ours:
  if .Labels? then .Labels |= with_entries(select(.key | startswith("io.skep.") | not)) else . end;

# A network has no Spec: what was asked for, without what the engine made up.
def network:
  {Name, Driver, Scope, Internal, Attachable, EnableIPv6,
   Options: ((.Options // {}) | del(.["com.docker.network.driver.overlay.vxlanid_list"])),
   Labels,
   IPAM: {Driver: .IPAM.Driver,
          Subnets: [.IPAM.Config[]?.Subnet | select(test("^10\\.[0-3]?[0-9]\\.[0-9]+\\.0/24$") | not)]}};

# [services, networks, secrets, configs, host, bridge] as read → {services: {name: Spec}, …} of one
# stack, or of all stacks for null.
def specs($stack):
  names as $names
  | def ours: (.Spec.Labels // .Labels // {})["com.docker.stack.namespace"] as $of
      | select($of != null and ($stack == null or $of == $stack));
    def by_name(f): [.[] | ours | f | without_ours | {key: .Name, value: del(.Name)}] | from_entries;
    {services: (.[0] | by_name(.Spec | name_ids($names) | sort_references)),
     networks: (.[1] | by_name(network)),
     secrets: (.[2] | by_name(.Spec)),
     configs: (.[3] | by_name(.Spec))};

# The recorder's lines → {networks: [body…], secrets: …, configs: …, services: …}, each by name.
def sent($names):
  [.[] | select(.method == "POST")
   | (.path | capture("^/v[0-9.]+/(?<kind>networks|secrets|configs|services)/(?<what>[^?]*)")) as $path
   | {kind: $path.kind, create: ($path.what == "create"), body: (.body | @base64d | fromjson)}]
  | map(.body |= (name_ids($names) | sort_references))
  | . as $all
  | reduce ("networks", "secrets", "configs", "services") as $kind ({};
      .[$kind] = ([$all[] | select(.kind == $kind) | .body] | sort_by(.Name)));

# stderr → {error, warnings}. A refusal's text is what is left when the warnings before it are gone.
def messages($refused):
  sub("\n+$"; "") as $text
  | [$text | scan("(?m)^time=\"[^\"]*\" level=warning msg=(\"(?:[^\"\\\\]|\\\\.)*\"|\\S+)") | .[0]
     | if startswith("\"") then fromjson else . end] as $logged
  | ($text | gsub("(?m)^time=\"[^\"]*\" level=warning msg=[^\n]*\n?"; "")) as $rest
  | ($rest | [scan("Ignoring unsupported options: [^\n]*")]
     + [scan("Ignoring deprecated options:\n\n(?:[a-z_]+: [^\n]*(?:\n\n|$))+") | sub("\n+$"; "")]) as $options
  | ($rest | gsub("Ignoring unsupported options: [^\n]*\n*"; "")
     | gsub("Ignoring deprecated options:\n\n(?:[a-z_]+: [^\n]*(?:\n\n|\n?$))+"; "") | sub("^\n+"; "")
     | sub("\n+$"; "")) as $rest
  | if $refused then {error: $rest, warnings: ($logged + $options)}
    else {warnings: ($logged + $options + if $rest == "" then [] else [$rest] end)} end;

# Who says no: `client` by itself, `state` the client after it asked the engine what exists, `engine`.
def refused_by:
  if test("rror response from daemon|rpc error") then "engine"
  elif test("declared as external|(secret|config) not found: ") then "state"
  else "client" end;

# $rc, $stderr, $log (slurped), $live (slurped), $dir, $stack → one record.
def record($rc; $stderr; $log; $live; $dir; $stack):
  ($rc != 0) as $refused
  | ($live | names) as $names
  | ($stderr | messages($refused)) as $messages
  | {verdict: (if $refused then "refused" else "accepted" end)}
  + (if $refused then {refused_by: ($messages.error | refused_by), error: $messages.error} else {} end)
  + {warnings: $messages.warnings, sent: ($log | sent($names))}
  + (if $refused then {} else {engine: ($live | specs($stack))} end)
  | anywhere($dir);
