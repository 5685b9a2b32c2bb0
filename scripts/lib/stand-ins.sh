# Stand-in images for a machine that reaches no registry; sourced by scripts/up. A stand-in has the name of the real image,
# holds busybox only, and behaves plausibly from outside: it listens on the real one's ports and passes its health check.
# shellcheck shell=bash disable=SC2154

# IMAGE → the ports of the real one; "tcp:" where it does not speak HTTP.
stand_in_ports() {
  case $1 in
    traefik:*) echo 80 8080 ;;
    registry:*) echo 5000 ;;
    portainer/portainer-ce:*) echo 9000 ;;
    portainer/agent:*) echo 9001 ;;
    swarmpit/* | */cadvisor:*) echo 8080 ;;
    prom/prometheus:*) echo 9090 ;;
    prom/node-exporter:*) echo 9100 ;;
    grafana/*) echo 3000 ;;
    couchdb:*) echo 5984 ;;
    influxdb:*) echo 8086 ;;
    postgres:*) echo tcp:5432 ;;
    */apps/*) echo 8080 ;;
    *) echo 80 ;;
  esac
}

# The file tree that all stand-ins share.
stand_in_tree() {
  local tree=$1 applet tool
  mkdir -p "$tree"/{bin,tmp,etc,proc,sys,dev,root,run,www,usr/local/bin}
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"; done
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$tree/etc/passwd"
  cat >"$tree/stand-in" <<'SCRIPT'
#!/bin/sh
# Arguments of the real image's program are taken and not looked at.
trap 'kill $(jobs -p) 2>/dev/null; exit 0' TERM INT
echo "stand-in for $STAND_IN_FOR: busybox listens on $STAND_IN_PORTS"
echo "<h1>$STAND_IN_FOR</h1><p>a stand-in, task $(hostname)</p>" >/www/index.html
for port in $STAND_IN_PORTS; do
  case $port in
    tcp:*) nc -ll -p "${port#tcp:}" -e /bin/true & ;;
    *) httpd -f -p "$port" -h /www & ;;
  esac
done
wait
SCRIPT
  # The programs that health checks of real images call.
  for tool in traefik pg_isready; do
    cat >"$tree/usr/local/bin/$tool" <<'SCRIPT'
#!/bin/sh
for port in $STAND_IN_PORTS; do nc -w 2 127.0.0.1 "${port#tcp:}" </dev/null >/dev/null || exit 1; done
SCRIPT
    chmod 755 "$tree/usr/local/bin/$tool"
  done
  chmod 755 "$tree/stand-in"
  chmod 1777 "$tree/tmp"
}

# stand_in TREE IMAGE: makes one, prints its id.
stand_in() {
  local ports
  ports=$(stand_in_ports "$2")
  tar -C "$1" -c . | dk import \
    --change "ENV PATH=/usr/local/bin:/bin STAND_IN_FOR=$2 STAND_IN_PORTS=\"$ports\"" \
    --change 'ENTRYPOINT ["/stand-in"]' --change "LABEL io.skep.stand-in=$instance" - "$2"
}

# The registry that an image name leads to.
registry_of() {
  local first=${1%%/*}
  case $first in
    "$1") echo registry-1.docker.io ;;
    *.* | *:* | localhost) echo "$first" ;;
    *) echo registry-1.docker.io ;;
  esac
}

reachable() { curl -sS --max-time 5 -o /dev/null "https://$1/v2/" 2>/dev/null; }
