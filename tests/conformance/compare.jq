# What `run` compares, case by case. Input: one object per case (see `run`), with the three read-backs.
include "canonical";

# Every leaf, by its JSON path; an empty list or object is a leaf, too.
def leaves: [paths(type | . != "object" and . != "array"), paths((type | . == "object" or . == "array") and length == 0)] as $paths
  | . as $all | [$paths[] | {key: (map(if type == "number" then "[\(.)]" else ".\(.)" end) | add // "."),
                             value: (. as $p | $all | getpath($p))}] | from_entries;

# The differences between two values: [{path, cli, skep}].
def differences($cli; $skep):
  ($cli | leaves) as $a | ($skep | leaves) as $b
  | [($a + $b | keys)[] as $path
     | select(($a | has($path)) != ($b | has($path)) or $a[$path] != $b[$path])
     | {path: $path, cli: (if $a | has($path) then $a[$path] | tojson else "absent" end),
        skep: (if $b | has($path) then $b[$path] | tojson else "absent" end)}];

# One case's verdict. $live: {cli, skep, back} as read after the CLI, after skep, after the CLI again.
def judge($live):
  .stack as $stack | .folder as $folder
  | def specs_of($which): $live[$which] | specs($stack) | anywhere($folder);
    {name, cli_error: .cli.error, skep_error: .skep.error,
     # A port that another stack of the same round still has says nothing of the file.
     other_verdict: (.recorded != null and (.recorded == "accepted") != (.cli.rc == 0)
                     and (.cli.error // "" | tostring | contains("is already in use by service") | not))}
  + if .cli.rc != 0 and .skep.rc != 0 then {result: "refused by both", differences: []}
    elif .cli.rc != 0 then {result: "refused by the CLI only", differences: []}
    elif .skep.rc != 0 then {result: "refused by skep only", differences: []}
    else
      (differences(specs_of("cli"); specs_of("skep"))) as $fresh
      | (if .back.rc == 0 then differences(specs_of("skep"); specs_of("back")) | map({path, before: .cli, after: .skep})
         else [{path: "docker stack deploy after skep", before: "accepted", after: .back.error}] end) as $back
      | {result: (if $fresh == [] then "equal" else "differs" end), differences: $fresh, back: $back,
         plan: (if .plan.rc == 0 then null else {rc: .plan.rc, text: .plan.text} end)}
    end;

def short: if length > 160 then .[0:160] + "…" else . end;

# A case's lines in the report; none if all is well.
def lines:
  (if .result == "differs" then "DIFFERS \(.name)", (.differences[] | "    \(.path): CLI \(.cli | short), skep \(.skep | short)")
   elif .result == "refused by skep only" then "REFUSED BY SKEP ONLY \(.name)", "    \(.skep_error | short)"
   elif .result == "refused by the CLI only" then "REFUSED BY THE CLI ONLY \(.name)", "    \(.cli_error | short)"
   else empty end),
  (if .other_verdict then "NOT AS RECORDED \(.name): the CLI now \(if .result == "refused by both" or .result == "refused by the CLI only"
     then "refuses: " + (.cli_error | short) else "accepts" end)" else empty end),
  (if (.back // []) != [] then "CHANGED BY THE CLI AFTER SKEP \(.name)", (.back[] | "    \(.path): \(.before | short) → \(.after | short)") else empty end),
  (if .plan then "PLAN AFTER THE CLI IS NOT EMPTY \(.name) (exit \(.plan.rc))", (.plan.text | split("\n")[] | select(. != "") | "    " + short) else empty end);
