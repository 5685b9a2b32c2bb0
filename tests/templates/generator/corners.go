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
	group("merge_empty", values, `{{ $b := dict "l" (dict) }}{{ $o := dict "l" (dict "a" 1) }}{{ $_ := merge $b $o (dict "l" (dict "b" 2)) }}{{ $o | toJson }}{{ $b | toJson }}`,
		`{{ $x := mergeOverwrite (dict "map" (dict)) .Values }}{{ $_ := set $x.map "new" 1 }}{{ .Values.map.new }}`,
		`{{ $a := dict "a" (dict) }}{{ $c := $a.a }}{{ $_ := merge $a (dict "a" (dict "b" 1)) }}{{ $c }}`,
		`{{ merge (dict "a" (dict)) (dict "a" (dict "b" nil "c" 2)) | toJson }}`, `{{ mergeOverwrite (dict "a" (dict)) (dict "a" (dict "b" nil)) | toJson }}`)
	group("star", values, `{{ printf "%*d|" -9223372036854775808 1 }}`, `{{ printf "%.*d|" 9223372036854775807 1 }}`)
	group("infinity", values, `{{ float64 "inf" }}|{{ float64 "-inf" }}|{{ mulf 1e308 10 }}|{{ list (float64 "inf") }}`,
		`{{ printf "%v|%5.1f|%-6g|% f|%+f|%06f" (float64 "inf") (float64 "inf") (float64 "inf") (float64 "inf") (float64 "inf") (float64 "inf") }}`)
	group("underscore", values, `{{ 1_0.5 }}|{{ 1e1_0 }}|{{ 1_000 }}`, `{{ float64 "1_000" }}|{{ addf "1_0" 1 }}|{{ divf 1 "1_000" }}|{{ floor "1_0.5" }}`, `{{ 1__0.5 }}`, `{{ 1_.5 }}`, `{{ 1._5 }}`,
		`{{ list ".5_5" ".1__1" "1_0.5" "_1.5" "1_" "1_e5" "1e_5" | toYaml }}`, `{{ 0x1_0p-2 }}|{{ 0x_1p2 }}`, `{{ 0x1p_2 }}`)
	group("atoi", values, `{{ atoi "99999999999999999999" }}|{{ atoi "-99999999999999999999" }}|{{ atoi "99999999999999999999x" }}|{{ atoi "+7" }}|{{ atoi "" }}|{{ atoi "-" }}`)
	group("break_else", values, `{{range .Values.list}}{{.}}{{range list}}{{else}}e{{break}}n{{end}}{{end}}`, `{{range .Values.list}}{{.}}{{range list}}{{else}}e{{continue}}n{{end}}x{{end}}`)
	group("base64", values, `{{ b64dec "YR==" }}|{{ b64dec "YWJ=" }}|{{ b64dec "YQ==" }}`)
	group("regex_names", values, `{{ regexReplaceAll "(a)" "xax" "$01" }}|{{ regexReplaceAll "(a)" "xax" "${01}" }}|{{ regexReplaceAll "(a)" "xax" "$0" }}|{{ regexReplaceAll "a" "xax" "$é" }}|{{ regexReplaceAll "a" "xax" "${é}!" }}`,
		`{{ mustRegexMatch "\\C" "a" }}`, `{{ regexMatch "\\Q\\C\\E" "\\C" }}`, `{{ regexMatch "\\\\C" "\\C" }}`, `{{ mustRegexMatch "(?P<ä>a)" "a" }}`)
	for _, url := range []string{"http://h:x", "http://h:-1", "http://h:80x", "http://h:", "http://[::1", "http://[::1]:80/p", "http://[fe80::1%25en0]/", "http://h%41", "http://h%C3%BC/", "http://h|i", "http://user name@h", "http://u:p:q@h/",
		"http://u%20x:p@h", "http://h<", "http://h>\"", "http://h i/", "mailto:a@b", "//h/p?q#f", "a:b/c", "1a:b", "/a:b", "http://h/%zz", "http://h/a b", "http://u@v@h"} {
		group("url", values, "{{ urlParse `"+url+"` | toJson }}")
	}
	group("url_join", values, `{{ urlJoin (dict "host" "ü") }}|{{ urlJoin (dict "scheme" "http" "host" "h i" "path" "p q") }}|{{ urlJoin (dict "path" "*") }}|{{ urlJoin (dict "scheme" "http" "host" "h" "userinfo" "u:p:q") }}`,
		`{{ urlJoin (dict "scheme" "http" "host" "h" "userinfo" "u p") }}`, `{{ urlJoin (dict "scheme" "http" "host" "h" "userinfo" "u%zz") }}`, `{{ urlJoin (dict "scheme" "http" "host" "h:80<>" "path" "p" "query" "a=b c" "fragment" "f g") }}`)
	group("chinese", values, `{{ snakecase "x日本" }}|{{ kebabcase "日本Foo本" }}|{{ snakecase "日a1" }}|{{ snakecase "FooBar日" }}|{{ snakecase "éÉa" }}`)
	group("large_float", values, `{{ toYaml 1.8e19 }}|{{ toYaml 9.3e18 }}|{{ toYaml 1.9e19 }}|{{ toYaml -9.3e18 }}|{{ toYaml 1e20 }}`)
	group("chunk", values, `{{ printf "%#v" (chunk 2 .Values.list) }}|{{ typeOf (chunk 2 .Values.list) }}|{{ printf "%#v" (chunk 2 (list)) }}`)
	group("explicit_keys", values, `{{ fromYaml "? a\n: |\n  x\n" | toJson }}`, `{{ fromYaml "? a\n: x\n  y\n" | toJson }}`, `{{ fromYaml "? a\n  b\n: x\n" | toJson }}`, `{{ fromYaml "? |-\n  a\n  b\n: c\nd: e\n" | toJson }}`,
		`{{ fromYaml "k:\n  ? !!str a\n  : |\n    x\n  b: c\n" | toJson }}`, `{{ toYaml (dict "multi\nkey" "a\nb") | fromYaml | toJson }}`, `{{ fromYaml "?\n  a\n:\n  x\n  y\n" | toJson }}`, `{{ fromYaml "l:\n- ? a\n  : x\n    y\n" | toJson }}`)
}
