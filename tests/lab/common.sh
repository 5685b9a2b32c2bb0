# Shared by the scripts of the lab; sourced by them. `self` is the script that sources it.

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$self" >&2
  exit 2
}

fail() {
  echo "$(basename "$self"): $*" >&2
  exit 1
}

fail_with_log() {
  echo "$(basename "$self"): $*; the end of its log:" >&2
  tail -n 15 "$dir/dockerd.log" >&2 || true
  exit 1
}

# Exit code 77 is what test runners count as skipped.
cannot() {
  echo "$(basename "$self"): no engine can be started here: $*" >&2
  exit 77
}

require_engine_tools() {
  [ "$(id -u)" = 0 ] || cannot "this needs root"
  local tool
  for tool in dockerd docker containerd runc unshare nsenter setsid iptables ip busybox curl; do
    PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || cannot "$tool is not installed"
  done
  PATH=$PATH:/usr/sbin:/sbin
  unshare --net --mount --pid --fork true 2>/dev/null || cannot "no namespace can be made (unshare is not allowed)"
  [ -d /sys/fs/cgroup/devices ] || [ -f /sys/fs/cgroup/cgroup.controllers ] || cannot "no cgroups are mounted"
}

# A name that only this directory has.
cgroup_of() { echo "skep-lab-$(readlink -m "$1" | sha256sum | cut -c1-12)"; }

# The Docker CLI on the engine in DIR, with a client configuration that is not the user's.
docker_in() {
  local dir=$1 client=/usr/local/bin/docker
  shift
  [ -x $client ] || client=docker
  env -u DOCKER_CONTEXT -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH -u DOCKER_API_VERSION \
    DOCKER_CONFIG="$dir/client" DOCKER_HOST="unix://$dir/docker.sock" $client "$@"
}

make_busybox_tree() {
  local tree=$1 applet
  mkdir -p "$tree"/{bin,tmp,etc,proc,sys,dev,root,run}
  install -D "$(readlink -f "$(command -v busybox)")" "$tree$(readlink -f "$(command -v busybox)")"
  chmod 1777 "$tree/tmp"
  echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
  echo 'root:x:0:' >"$tree/etc/group"
  busybox --install -s "$tree/bin"  # Links to where it is here, so it is there in the image too.
  for applet in sh sleep; do [ -L "$tree/bin/$applet" ] || fail "busybox has no $applet"; done
}

# Two versions that differ, so that their digests do.
import_busybox() {
  local dir=$1 version=$2
  tar -C "$dir/busybox" -c . | docker_in "$dir" import --change 'ENV PATH=/bin' --change "LABEL version=$version" \
    --change 'CMD ["sleep","1000000"]' - "skep-test/busybox:$version" >/dev/null
}

# Stops the thing in DIR when the process OWNER is gone.
watch_owner() {
  setsid sh -c 'while kill -0 "$1" 2>/dev/null && [ -e "$3/pid" ]; do sleep 1; done; [ ! -e "$3/pid" ] || exec "$2" stop "$3"' \
    watch "$1" "$self" "$2" >/dev/null 2>&1 </dev/null &
}

# Kills the namespace's first process, and so everything in it; then the cgroups that this leaves behind.
kill_namespace() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  [ -n "$pid" ] || return 0
  kill -9 "$pid" 2>/dev/null || true
  for _ in $(seq 1 100); do
    [ -e "/proc/$pid" ] || break
    sleep 0.05
  done
}

remove_cgroups() {
  [ -n "$1" ] || return 0
  for _ in 1 2 3 4 5; do
    find /sys/fs/cgroup -depth -type d -path "*/$1*" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$1" -print -quit)" ] || break
    sleep 0.1
  done
}

stop_quietly() {
  trap - ERR EXIT
  [ -d "$1" ] || return 0
  local cgroup
  cgroup=$(cgroup_of "$1")
  kill_namespace "$1/pid"
  rm -f "$1/pid"
  remove_cgroups "$cgroup"
}
