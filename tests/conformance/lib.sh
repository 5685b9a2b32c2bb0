# Shared by `record`, `run` and `pairs`: an engine, cases, deploying one, reading back what came of it.
# Sourced by bash; every function writes below $work, a folder of its own that is removed on exit.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
docker=${DOCKER_CLI:-$(command -v docker || true)}
# The process environment of every deployment, but for the case's own `env`: nothing of ours leaks in.
case_home=/home/conformance

skip() {
  echo "conformance: SKIPPED: $*" >&2
  exit 77
}

die() {
  echo "conformance: $*" >&2
  exit 1
}

# --- engine ---------------------------------------------------------------------------------------

engine_is_ours=
extra=()  # further options of the next deployments
engine_shell() { curl -sS --max-time 30 --unix-socket "$socket" "$@"; }

# Uses the engine of $SKEP_TEST_DOCKER_HOST (unix:// only; a swarm for tests: it gets our externals and
# loses them again, and every stack on it is removed), or starts one of our own. Sets $socket.
engine_begin() {
  [ -n "$docker" ] || skip "no docker CLI"
  for tool in jq curl; do command -v $tool >/dev/null || skip "no $tool"; done
  work=$(mktemp -d)
  trap engine_end EXIT
  trap 'exit 130' INT TERM
  if [ -n "${SKEP_TEST_DOCKER_HOST:-}" ]; then
    socket=${SKEP_TEST_DOCKER_HOST#unix://}
    [ -S "$socket" ] || die "SKEP_TEST_DOCKER_HOST: no socket $socket"
  else
    engine_start
  fi
  node=$(engine_shell http://e/info | jq -r '.Swarm.NodeID // ""')
  [ -n "$node" ] || die "the engine is no swarm manager"
  # With the only node drained no task runs: the Specs are all that we want.
  node_availability "${1:-drain}"
  externals create
}

engine_start() {
  local status=0
  "$root/tests/lab/engine" start "$work/engine" --owner $$ >"$work/engine.out" || status=$?
  [ $status -ne 77 ] || skip "no engine can be started here"
  [ $status -eq 0 ] || die "tests/lab/engine failed"
  engine_is_ours=yes
  socket=$(sed -n 's|^DOCKER_HOST=unix://||p' "$work/engine.out")
}

engine_end() {
  set +e
  if [ -n "$engine_is_ours" ]; then
    "$root/tests/lab/engine" stop "$work/engine" >/dev/null
  elif [ -n "${socket:-}" ] && [ -n "${node:-}" ]; then
    externals remove
    node_availability active
  fi
  rm -rf "$work"
}

node_availability() {
  local now version
  now=$(engine_shell "http://e/nodes/$node")
  version=$(jq .Version.Index <<<"$now")
  jq --arg a "$1" '.Spec | .Availability = $a' <<<"$now" |
    engine_shell -H 'Content-Type: application/json' -d @- "http://e/nodes/$node/update?version=$version"
}

externals() {
  local kind name arguments
  while read -r kind name arguments; do
    case $kind in '#'* | '') continue ;; esac
    if [ "$1" = remove ]; then
      DOCKER_HOST=unix://$socket "$docker" "$kind" rm "$name" >/dev/null
    elif [ "$kind" = network ]; then
      # shellcheck disable=SC2086 # several arguments are meant
      DOCKER_HOST=unix://$socket "$docker" network create $arguments "$name" >/dev/null
    else
      echo external | DOCKER_HOST=unix://$socket "$docker" "$kind" create "$name" - >/dev/null
    fi
  done <"$here/externals"
}

# The words of `docker stack deploy`; an old CLI knows no --detach and waits for nothing.
docker_command() {
  docker_words=("$docker" stack deploy --resolve-image never)
  ! "$docker" stack deploy --help | grep -q -- --detach || docker_words+=(--detach=true)
}

versions() {
  echo "cli $("$docker" version --format '{{.Client.Version}}' 2>/dev/null)"
  engine_shell http://e/version | jq -r '"engine " + .Version, "api " + .ApiVersion'
}

# --- side by side ---------------------------------------------------------------------------------

jobs=${SKEP_CONFORMANCE_JOBS:-$(($(nproc) + 1))}

# side_by_side COMMAND…: in the background, when there is a place; all_done waits for what was so started.
# Counted, not asked: a process for each question costs as much as a deployment's half.
running=0
side_by_side() {
  if [ $running -ge "$jobs" ]; then
    wait -n || true
    running=$((running - 1))
  fi
  "$@" &
  running=$((running + 1))
}

all_done() {
  wait
  running=0
}

# --- cases ----------------------------------------------------------------------------------------

# cases DIR: one line per case, tab-separated: name (unique, a valid stack name), folder, compose
# file; `-` instead of the file means that the folder's `args` names the files. A folder with a file
# of a usual name holds one case, whatever other YAML is beside it; in other folders each file is one.
cases() {
  find "$1" \( -name '*.yml' -o -name '*.yaml' -o -name args \) -not -path '*/.git/*' -type f | sort |
    awk -v top="${1%/}/" '
      { folder = $0; sub(/\/[^\/]*$/, "", folder); file = $0; sub(/.*\//, "", file) }
      { folders[NR] = folder; files[NR] = file }
      file == "args" { whole[folder] = file; next }
      file ~ /^(docker-)?(compose|stack)\.ya?ml$/ && whole[folder] != "args" { whole[folder] = file }
      END {
        for (i = 1; i <= NR; i++) {
          if (whole[folders[i]] && files[i] != whole[folders[i]]) continue
          for (above = folders[i]; sub(/\/[^\/]*$/, "", above);) if (whole[above] == "args") break
          if (above != "" && whole[above] == "args") continue
          name = substr(folders[i] "/", length(top) + 1)
          if (files[i] != "args" && !whole[folders[i]]) name = name files[i]
          sub(/\.ya?ml$/, "", name); gsub(/[^A-Za-z0-9]+/, "-", name); gsub(/^-|-$/, "", name)
          if (name == "") name = "stack"
          name = substr(name, 1, 44); sub(/-$/, "", name)
          if (seen[name]++) name = substr(name, 1, 40) "-" seen[name]
          print name "\t" folders[i] "\t" (files[i] == "args" ? "-" : files[i])
        }
      }'
}

# deploy CLIENT OUT STACK FOLDER FILE: runs `docker stack deploy`, `skep deploy` or `skep plan` (whatever
# the array CLIENT_words holds) as the case says. Leaves OUT.rc, OUT.stderr, and OUT.log if $recorder is set.
deploy() {
  local client=$1 out=$2 folder=$4 file=$5
  local -a stack=("$3")
  local -n words=${client}_words
  local -a environment=() arguments=() around=()
  local line rc=0
  [ ! -f "$folder/env" ] || mapfile -t environment <"$folder/env"
  if [ "$file" = - ]; then
    # shellcheck disable=SC2206 # an option and its value stand in one line
    while read -r line; do arguments+=($line); done <"$folder/args"
  else
    arguments=(-c "$file" "${extra[@]}")
  fi
  [ ! -f "$folder/stack" ] || stack=("$(<"$folder/stack")")
  [ -z "${recorder:-}" ] || around=("$recorder" "$socket" "$out.log")
  local input=/dev/null
  [ ! -f "$folder/stdin" ] || input=$folder/stdin
  (
    cd "$folder" || exit 1
    # The last one is no part of a case: without it a sanitized skep looks for leaks after each deployment.
    exec env -i PATH="$PATH" HOME="$case_home" DOCKER_HOST="unix://$socket" "${environment[@]}" ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} \
      timeout 60 "${around[@]}" "${words[@]}" "${arguments[@]}" "${stack[@]}"
  ) <"$input" >"$out.stdout" 2>"$out.stderr" || rc=$?
  echo $rc >"$out.rc"
}

# read_back OUT: OUT.live = [services, networks, secrets, configs], raw, of the whole engine, and then
# the predefined networks as the swarm knows them, which no list shows.
read_back() {
  local _
  for _ in $(seq 50); do
    engine_shell http://e/services http://e/networks http://e/secrets http://e/configs \
      http://e/networks/{host,bridge}?scope=swarm >"$1.live"
    # The engine fills in a network's drivers a moment after it took it.
    grep -q '"Scope":"swarm","Driver":""' "$1.live" || return 0
    sleep 0.1
  done
}

# Removes everything that carries a stack's label: not only this stack's, so nothing is ever left over.
clean_up() {
  local left kind lists=()
  for kind in services secrets configs networks; do
    lists+=("http://e/$kind?filters=%7B%22label%22%3A%5B%22com.docker.stack.namespace%22%5D%7D")
  done
  # A network goes only after the last task that used it.
  for _ in $(seq 100); do
    mapfile -t left < <(engine_shell "${lists[@]}" | jq -r -s '
      ["services", "secrets", "configs", "networks"] as $kinds
      | range(4) as $i | .[$i][] | "http://e/\($kinds[$i])/\(.ID // .Id)"')
    [ ${#left[@]} -gt 0 ] || return 0
    engine_shell -X DELETE "${left[@]}" >/dev/null
    # Mostly that was all; if not, tasks are still ending.
    [[ ${left[0]} != */networks/* ]] || sleep 0.3
  done
  die "networks cannot be removed: ${left[*]}"
}

# one OUT FOLDER STACK → the record of one deployment on stdout
one() {
  jq -n -S --indent 1 -L "$here" --argjson rc "$(cat "$1.rc")" --rawfile stderr "$1.stderr" \
    --slurpfile log "$1.log" --slurpfile live "$1.live" --arg dir "$2" --arg stack "$3" \
    'include "canonical"; record($rc; $stderr; $log; $live; $dir; $stack)'
}
