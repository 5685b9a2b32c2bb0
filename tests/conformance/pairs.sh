# Pairs (before, after): what an update ends in, and which tasks the engine restarts for it.
# Sourced by `record` and `run` after lib.sh. All pairs are deployed side by side, so their published
# ports and their objects' own names differ.

# The image that real tasks run: static busybox, imported under the corpus's name.
import_image() {
  local tree=$work/image busybox name
  busybox=$(command -v busybox) || return 1
  mkdir -p "$tree/bin" "$tree/tmp" "$tree/etc"
  cp "$busybox" "$tree/bin/busybox"
  for name in sh sleep true; do ln -sf busybox "$tree/bin/$name"; done
  tar -C "$tree" -c . | DOCKER_HOST=unix://$socket "$docker" import - skep-test/busybox:1.0 >/dev/null
}

# tasks FILE REAL: the tasks that should run, as [{id, service, place, state}], when they have settled:
# three times the same; and where they are real, each runs, unless no node takes it.
tasks() {
  local earlier='' now='' same=0 round
  for round in $(seq 120); do
    sleep 0.2
    now=$(engine_shell http://e/services http://e/tasks | jq -S -s -c '
      ([.[0][] | {key: .ID, value: .Spec.Name}] | from_entries) as $names
      | [.[1][] | select(.DesiredState | . == "running" or . == "complete" or . == "ready")
         | {id: .ID, service: $names[.ServiceID], place: (.Slot // .NodeID), state: .Status.State}] | sort_by(.id)')
    if [ "$now" = "$earlier" ]; then same=$((same + 1)); else same=0; fi
    earlier=$now
    [ $same -ge 3 ] || continue
    [ "$2" = real ] || break
    ! jq -e 'all(.[]; .state == "running" or .state == "pending")' >/dev/null <<<"$now" || break
  done
  echo "$now" >"$1"
}

# deploy_pairs CLIENT OUT KIND FOLDER…: deploys all befores, then all afters. KIND is `real` for tasks that
# run, else `pending`. Leaves OUT/NAME.{before,after}.{rc,stderr,log}, OUT/{before,after}.{live,tasks} and
# OUT/restarts.json = {service: "restarts" | "keeps" | "new" | "removed" | "no tasks"}; the engine is clean.
deploy_pairs() {
  local client=$1 out=$2 kind=$3 which folder name
  shift 3
  mkdir -p "$out"
  [ "$kind" != real ] || node_availability active
  for which in before after; do
    for folder in "$@"; do
      name=${folder##*/}
      : >"$out/$name.$which.log"
      extra=()
      if [ $which = after ] && [ -f "$folder/options" ]; then mapfile -t extra <"$folder/options"; fi
      side_by_side deploy "$client" "$out/$name.$which" "$name" "$folder" "$which.yml"
    done
    all_done
    tasks "$out/$which.tasks" "$kind"
    read_back "$out/$which"
  done
  extra=()
  clean_up
  [ "$kind" != real ] || node_availability drain
  jq -n -S --slurpfile before "$out/before.tasks" --slurpfile after "$out/after.tasks" \
    --slurpfile old "$out/before.live" --slurpfile new "$out/after.live" '
    def names: [.[0][] | .Spec | select(.Labels["com.docker.stack.namespace"]) | .Name];
    ($old | names) as $old | ($new | names) as $new
    | [($old + $new | unique)[] as $name
       | {key: $name, value: (
           [$before[0][] | select(.service == $name)] as $were | [$after[0][] | select(.service == $name)] as $are
           | if ($old | index($name)) == null then "new" elif ($new | index($name)) == null then "removed"
             elif ($were | length) == 0 then "no tasks"
             elif any($are[]; .place as $p | .id as $i
                 | any($were[]; .place == $p) and (any($were[]; .id == $i) | not)) then "restarts"
             else "keeps" end)}] | from_entries' >"$out/restarts.json"
}

# pair_record OUT FOLDER: one pair's record out of what deploy_pairs left.
pair_record() {
  local name=${2##*/} which
  for which in before after; do
    cp "$1/$which.live" "$1/$name.$which.live"
    one "$1/$name.$which" "$2" "$name" >"$1/$name.$which.json"
    rm "$1/$name.$which.live"
  done
  jq -n -S --indent 1 --arg prefix "${name}_" --slurpfile b "$1/$name.before.json" \
    --slurpfile a "$1/$name.after.json" --slurpfile r "$1/restarts.json" \
    '{before: $b[0], after: $a[0], tasks: ($r[0] | with_entries(select(.key | startswith($prefix))))}'
}

# pairs_of KIND: the folders of pairs/, KIND real (those with a file `tasks`) or pending.
pairs_of() {
  local folder
  for folder in "$here"/pairs/*/; do
    if [ -f "${folder}tasks" ]; then [ "$1" = real ] || continue; else [ "$1" = pending ] || continue; fi
    echo "${folder%/}"
  done
}
