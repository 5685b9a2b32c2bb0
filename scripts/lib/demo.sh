# Shared by scripts/up, scripts/down and scripts/skep; sourced by them. The demo keeps all it has in one directory, and
# notes there what it made, so that scripts/down removes exactly that.
# shellcheck shell=bash disable=SC2034

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
demo=${SKEP_DEMO_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/skep-demo}
instance=demo
agent=skep-$instance-agent          # service
state_volume=skep-$instance-state   # volume of the agent
state_config=skep-$instance-state   # swarm config in which the agent keeps its decisions
db_secret=my-app-db-password        # apps/MY-APP expects it to be there
port=${SKEP_DEMO_PORT:-9920}
link=skepdemo0                      # only where another dockerd lives in this network namespace
link_address=10.193.87

say() { printf '\n==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() { printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
docker_as=()

# What was made: one line each, "KIND NAME [MORE]".
made() { mkdir -p "$demo"; grep -qxF -- "$*" "$demo/made" 2>/dev/null || printf '%s\n' "$*" >>"$demo/made"; }
was_made() { grep -q -- "^$1\( \|\$\)" "$demo/made" 2>/dev/null; }
names_made() { sed -n "s/^$1 //p" "$demo/made" 2>/dev/null; }

dk() { ${docker_as[@]+"${docker_as[@]}"} docker "$@"; }

# ---- the engine of the demo, where there is none -----------------------------------------------------------------

engine_dir=$demo/engine
own_socket=$engine_dir/docker.sock

own_engine_pid() {
  local pid
  pid=$(cat "$engine_dir/dockerd.pid" 2>/dev/null) || return 1
  # After a restart of the machine the number may belong to anybody.
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$engine_dir/data" || return 1
  echo "$pid"
}

other_dockerd_here() {
  local here comm ours
  here=$(readlink /proc/self/ns/net)
  ours=$(own_engine_pid || true)
  for comm in /proc/[0-9]*/comm; do
    [ "$(cat "$comm" 2>/dev/null)" = dockerd ] || continue
    [ "$(basename "$(dirname "$comm")")" != "$ours" ] || continue
    [ "$("${as_root[@]}" readlink "$(dirname "$comm")/ns/net" 2>/dev/null)" = "$here" ] && return 0
  done
  return 1
}

# dockerd changes the host's packet filter and makes two bridges; this is what they were before.
note_network() {
  [ ! -e "$demo/network.before" ] || return 0
  {
    echo "forward=$("${as_root[@]}" iptables -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p')"
    echo "ip_forward=$(cat /proc/sys/net/ipv4/ip_forward)"
    echo "docker_rules=$("${as_root[@]}" iptables-save 2>/dev/null | grep -ci docker || true)"
    echo "links=$(ip -o link | awk -F': ' '$2 ~ /^docker/ {print $2}' | tr '\n' ' ')"
  } >"$demo/network.before"
}

restore_network() {
  local forward='' ip_forward='' docker_rules='' links='' device
  [ -e "$demo/network.before" ] || return 0
  while IFS='=' read -r key value; do
    case $key in
      forward) forward=$value ;;
      ip_forward) ip_forward=$value ;;
      docker_rules) docker_rules=$value ;;
      links) links=$value ;;
    esac
  done <"$demo/network.before"
  for device in docker0 docker_gwbridge; do
    case " $links " in *" $device "*) continue ;; esac
    "${as_root[@]}" ip link delete "$device" 2>/dev/null || true
  done
  if [ "$docker_rules" = 0 ] && "${as_root[@]}" iptables-save 2>/dev/null | grep -qi docker; then
    "${as_root[@]}" iptables-save | grep -vi docker | "${as_root[@]}" iptables-restore || true
  fi
  [ -z "$forward" ] || "${as_root[@]}" iptables -P FORWARD "$forward" 2>/dev/null || true
  [ -z "$ip_forward" ] || echo "$ip_forward" | "${as_root[@]}" tee /proc/sys/net/ipv4/ip_forward >/dev/null || true
  rm -f "$demo/network.before"
}

start_own_engine() {
  local pid daemon
  if own_engine_pid >/dev/null; then
    note "the demo's own engine is running"
    return
  fi
  [ ${#engine_dir} -le 70 ] || fail "the path $engine_dir is too long for sockets below it; set SKEP_DEMO_DIR"
  mkdir -p "$engine_dir"
  echo '{}' >"$engine_dir/daemon.json"
  "${as_root[@]}" rm -rf "$engine_dir/dockerd.pid" "$engine_dir/run"
  daemon=(dockerd --data-root "$engine_dir/data" --exec-root "$engine_dir/exec" --pidfile "$engine_dir/dockerd.pid"
    --config-file "$engine_dir/daemon.json" --group "$(id -gn)" -H "unix://$own_socket" -H unix:///var/run/docker.sock)
  made engine
  # A /run of its own, so that the demo's stacks find the engine where stacks look for it, at /var/run/docker.sock, and
  # this machine's own path stays free. Names are resolved by what /etc/resolv.conf may point to in there.
  # shellcheck disable=SC2016
  local enter='mkdir "$1/run"; cp /run/systemd/resolve/*.conf "$1/run/" 2>/dev/null
    mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/resolve && cp "$1"/run/* /run/systemd/resolve/ 2>/dev/null
    shift; exec "$@"'
  if was_made namespace || other_dockerd_here; then
    made namespace
    note "another Docker daemon uses this machine's network: the demo's engine gets a network namespace of its own"
    "${as_root[@]}" setsid unshare --net --mount --propagation private sh -c "ip link set lo up; $enter" engine \
      "$engine_dir" "${daemon[@]}" >"$engine_dir/dockerd.log" 2>&1 </dev/null &
  else
    note_network
    "${as_root[@]}" setsid unshare --mount --propagation private sh -c "$enter" engine \
      "$engine_dir" "${daemon[@]}" >"$engine_dir/dockerd.log" 2>&1 </dev/null &
  fi
  for _ in $(seq 1 150); do
    if DOCKER_HOST=unix://$own_socket docker version >/dev/null 2>&1; then break; fi
    sleep 0.2
  done
  DOCKER_HOST=unix://$own_socket docker version >/dev/null 2>&1 || {
    tail -n 15 "$engine_dir/dockerd.log" >&2
    fail "dockerd did not start, see $engine_dir/dockerd.log"
  }
  if was_made namespace; then
    pid=$(own_engine_pid)
    "${as_root[@]}" ip link delete "$link" 2>/dev/null || true
    "${as_root[@]}" ip link add "$link" type veth peer name eth0 netns "$pid"
    "${as_root[@]}" ip address add "$link_address.1/30" dev "$link"
    "${as_root[@]}" ip link set "$link" up
    "${as_root[@]}" nsenter --target "$pid" --net ip address add "$link_address.2/30" dev eth0
    "${as_root[@]}" nsenter --target "$pid" --net ip link set eth0 up
  fi
}

stop_own_engine() {
  local pid
  if pid=$(own_engine_pid); then
    "${as_root[@]}" kill "$pid"
    for _ in $(seq 1 300); do
      [ -e "/proc/$pid" ] || break
      sleep 0.1
    done
    [ ! -e "/proc/$pid" ] || fail "the demo's engine (process $pid) does not stop; see $engine_dir/dockerd.log"
  fi
  "${as_root[@]}" ip link delete "$link" 2>/dev/null || true
  awk -v dir="$engine_dir/" 'index($2, dir) == 1 {print $2}' /proc/mounts | sort -r |
    while read -r mount; do "${as_root[@]}" umount -l "$mount" 2>/dev/null || true; done
  restore_network
  "${as_root[@]}" rm -rf "$engine_dir"
}

# ---- which engine -------------------------------------------------------------------------------------------------

# The demo's own one where it has one; sets DOCKER_HOST, or leaves the user's. False: nothing answers.
find_engine() {
  local client
  if was_made engine; then
    export DOCKER_HOST=unix://$own_socket
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
    own_engine_pid >/dev/null && docker info >/dev/null 2>&1
    return
  fi
  command -v docker >/dev/null || return 1
  # The engine that it was brought up on, whatever the environment says by now.
  if was_made host; then
    DOCKER_HOST=$(names_made host)
    export DOCKER_HOST
  fi
  for client in '' sudo; do
    docker_as=(${client:+"$client" --preserve-env=DOCKER_HOST})
    if [ -n "$client" ] && { [ "$(id -u)" -eq 0 ] || ! command -v sudo >/dev/null; }; then continue; fi
    # Only where there is a socket to be opened: no password is asked for nothing.
    if [ -n "$client" ] && ! [ -S /var/run/docker.sock ]; then continue; fi
    if timeout 20 ${docker_as[@]+"${docker_as[@]}"} docker info >/dev/null 2>&1; then return 0; fi
  done
  docker_as=()
  return 1
}

engine_socket() {
  local host=${DOCKER_HOST:-$(dk context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)}
  host=${host:-unix:///var/run/docker.sock}
  case $host in
    unix://*) echo "${host#unix://}" ;;
    *) return 1 ;;
  esac
}

address() { if was_made namespace; then echo "$link_address.2"; else echo 127.0.0.1; fi; }

agent_container() { dk ps -q --filter "label=com.docker.swarm.service.name=$agent" --filter status=running | head -n 1; }

# Stacks of the demo: what carries the agent's label, and was not there before it.
demo_stacks() {
  local kind
  {
    dk service ls -q --filter "label=io.skep.instance=$instance" |
      xargs -r ${docker_as[@]+"${docker_as[@]}"} docker service inspect \
        --format '{{index .Spec.Labels "com.docker.stack.namespace"}}'
    for kind in network config secret; do
      dk "$kind" ls -q --filter "label=io.skep.instance=$instance" |
        xargs -r ${docker_as[@]+"${docker_as[@]}"} docker "$kind" inspect --format \
          "{{index $([ $kind = network ] && echo .Labels || echo .Spec.Labels) \"com.docker.stack.namespace\"}}"
    done
  } | awk 'FILENAME != "-" { before[$0]; next } $0 != "" && !($0 in before) && !seen[$0]++' \
    <(cat "$demo/before.stacks" 2>/dev/null) - | sort
}
