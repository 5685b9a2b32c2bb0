package main

// What a systematic comparison of every function, verb and construct with Go's found to differ, and
// its neighbours.
func init() {
	group("flags", values, `{{ printf "%#v|%#g|%#G|%#e|%#.0f|%#.0e|%#x|%#X" 1.5 1.5 -2.0 1.5 2.5 1e21 1.5 1.5 }}`,
		`{{ printf "%#g|%#.3g|%#.0f|%+#.2g|%#010g" 0.0 1e-7 0.0 100.0 -1.5 }}`, `{{ printf "%#d|%#s|%#t" 1.5 -2.0 1e21 }}`,
		`{{ printf "%#d" .Values.mixed }}`, `{{ printf "%#q" .Values.mixed }}`, `{{ printf "%.2T|%8.3T|%-6.1T|" 1 "a" .Values.list }}`,
		`{{ printf "%08U|%.5U|%-8.6U|%#U|%#.5U|%#U" 42 42 42 1114112 228 128512 }}`, `{{ printf "%#.2v|%#.0v|%#8.1v|" "abc" "abc" "ö" }}`,
		`{{ printf "%#.1v" .Values.map }}`, `{{ printf "%#.2q|%.2q|%#.1q|%#q" "a\"ö" "a\"ö" "`+"\\u0060"+`b" "\ufeff" }}`,
		`{{ printf "%w|%w" .Values.list "a" }}`, `{{ printf "%w" .Values.map }}`, `{{ printf "%5.1w|%w" .Values.numbers nil }}`,
		`{{ printf "%+v|% v|%+d|%+q" 5 5 .Values.numbers 'ö' }}`, `{{ printf "%6.3v|%-8.2v|%08v" 1.23456 "abc" -7 }}`)
	group("shadow", values, "{{ range $i, $i := .Values.list }}{{ $i }}{{ end }}", "{{ range $k, $k := .Values.map }}{{ $k }}{{ end }}",
		"{{ $i := 9 }}{{ range $i := .Values.list }}{{ $i }}{{ end }}{{ $i }}", "{{ range $i, $e := .Values.list }}{{ $e := 1 }}{{ $e }}{{ end }}",
		"{{ range $i, $e := .Values.list }}{{ range $i, $e := $.Values.numbers }}{{ $i }}{{ $e }}{{ end }}{{ $i }}{{ $e }}{{ end }}")
	group("zero", values, "{{ toYaml -0.0 }}{{ toJson -0.0 }}", "{{ toYaml (dict \"k\" (list -0.0 0.0)) }}", "{{ len (semver \"1.2.3\") }}")
	group("merge", values, `{{ merge nil (dict "a" 1) }}`, `{{ mergeOverwrite nil .Values.map | toJson }}`, `{{ merge nil nil }}`,
		`{{ merge .Values.missing (dict "a" 1) }}`, `{{ merge (dict "a" 0 "b" 1) (dict "a" 2 "b" 3) }}`, `{{ $d := merge nil (dict "a" 1) }}{{ $_ := set $d "b" 2 }}{{ $d }}`)
	group("date", values, "{{ (fromYaml \"d: 2024-01-31\").d }}", "{{ fromYaml \"d: 2001-1-1\" | toJson }}", "{{ fromYaml \"d: 2001-01-01T00:00:00Z\" | toJson }}",
		"{{ fromYaml \"d: 2001-01-01 10:00:00\" | toJson }}", "{{ typeOf (fromYaml \"d: 2024-01-31\").d }}", "{{ fromYaml \"d: 2024-13-31\" | toJson }}",
		"{{ toYaml (fromYaml \"d: 2024-01-31\") }}")
}
