package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
)

// Functions that differ on purpose are not among these (see Differences in the README), so what a
// random template finds is a mistake. Arguments as the README's table has them; n: a small whole
// number, for what grows with it; p: one that is not negative; r: a pattern.
var signatures = map[string]string{
	"and": "aa", "or": "aa", "not": "a", "eq": "aa", "ne": "aa", "lt": "aa", "le": "aa", "gt": "aa", "ge": "aa",
	"index": "cn", "len": "c", "print": "aa", "println": "aa", "html": "a", "js": "a", "urlquery": "a",
	"default": "aa", "empty": "a", "coalesce": "aaa", "all": "aa", "any": "aa", "ternary": "aab",
	"typeOf": "a", "kindOf": "a", "kindIs": "sa", "typeIs": "sa", "deepEqual": "aa",
	"toString": "a", "toStrings": "l", "int": "a", "int64": "a", "float64": "a", "atoi": "s",
	"trim": "s", "upper": "s", "lower": "s", "title": "s", "untitle": "s", "swapcase": "s",
	"initials": "s", "camelcase": "s", "snakecase": "s", "kebabcase": "s",
	"trimAll": "ss", "trimSuffix": "ss", "trimPrefix": "ss", "trunc": "ns", "abbrev": "ns", "wrap": "ns",
	"indent": "ps", "nindent": "ps", "repeat": "ps", "abbrevboth": "nns", "substr": "nns", "wrapWith": "nss",
	"contains": "ss", "hasPrefix": "ss", "hasSuffix": "ss", "quote": "aa", "squote": "aa", "cat": "aaa",
	"replace": "sss", "plural": "ssn", "splitList": "ss", "join": "sl", "split": "ss",
	"regexMatch": "rs", "regexFind": "rs", "regexFindAll": "rsn", "regexSplit": "rsn",
	"regexReplaceAll": "rss", "regexReplaceAllLiteral": "rss", "regexQuoteMeta": "s",
	"list": "aaa", "first": "l", "last": "l", "rest": "l", "initial": "l", "reverse": "l", "uniq": "l",
	"compact": "l", "sortAlpha": "l", "append": "la", "prepend": "la", "concat": "ll", "without": "la", "has": "al",
	"until": "p", "untilStep": "nnn", "seq": "np", "dict": "sasa", "get": "ms", "hasKey": "ms",
	"unset": "ms", "set": "mss", "pluck": "sm", "pick": "ms", "omit": "ms", "merge": "mm", "mergeOverwrite": "mm",
	"deepCopy": "a", "add": "ii", "sub": "ii", "mul": "ii", "div": "ii", "mod": "ii", "add1": "i",
	"max": "ii", "min": "ii", "addf": "ff", "subf": "ff", "mulf": "ff", "divf": "ff", "floor": "f", "ceil": "f",
	"round": "fn", "toYaml": "a", "toJson": "a", "toPrettyJson": "a", "toRawJson": "a", "b64enc": "s", "b32enc": "s",
	"sha256sum": "s", "adler32sum": "s", "semverCompare": "vv", "base": "s", "dir": "s", "clean": "s", "ext": "s",
	"isAbs": "s", "printf": "FAA",
}

// What functions give; the others give anything.
var results = map[byte]string{
	's': "print println html js urlquery typeOf kindOf toString trim upper lower title untitle swapcase initials camelcase " +
		"snakecase kebabcase trimAll trimSuffix trimPrefix trunc abbrev wrap indent nindent repeat abbrevboth substr wrapWith quote " +
		"squote cat replace plural join regexFind regexReplaceAll regexReplaceAllLiteral regexQuoteMeta seq toYaml toJson " +
		"toPrettyJson toRawJson b64enc b32enc sha256sum adler32sum base dir clean ext printf",
	'i': "len int int64 atoi add sub mul div mod add1 max min",
	'f': "float64 addf subf mulf divf floor ceil round",
	'b': "not eq ne lt le gt ge empty all any kindIs typeIs deepEqual contains hasPrefix hasSuffix regexMatch has hasKey semverCompare isAbs",
	'l': "toStrings splitList regexFindAll regexSplit list rest initial reverse uniq compact sortAlpha append prepend concat without " +
		"until untilStep pluck",
	'm': "split dict unset set pick omit merge mergeOverwrite",
}

var (
	names  []string
	giving = map[byte][]string{}
)

type chooser struct {
	*rand.Rand
	variables []string
}

func (c *chooser) one(words ...string) string { return words[c.Intn(len(words))] }

func (c *chooser) leaf(kind byte) string {
	if c.Intn(8) == 0 && kind != 'n' && kind != 'p' {
		kind = "silbfmc"[c.Intn(7)]
	}
	if len(c.variables) > 0 && kind != 'm' && c.Intn(5) == 0 { // A map that is set into itself has no end.
		return c.one(c.variables...)
	}
	switch kind {
	case 's':
		return c.one(".Values.name", ".Values.text", ".Values.lines", ".Values.html", ".Values.empty", `"a"`, `"A b-c_d"`, `"äöü ß"`,
			`"  x  "`, `""`, "`raw\\n`", `"a,b,,c"`, `"/a/../b.tar.gz"`, `"12"`, `"-0x1f"`, `"1.50"`, `"true"`, `"key: v"`, `"$1"`)
	case 'i':
		return c.one(".Values.port", ".Values.zero", ".Values.big", "1", "0", "-7", "'a'", "0x1F", "3.0", `"5"`, "(len .Values.list)")
	case 'n':
		return c.one("0", "1", "2", "3", "-1", "7", "(len .Values.list)")
	case 'p':
		return c.one("0", "1", "2", "3", "5")
	case 'f':
		return c.one(".Values.ratio", ".Values.whole", "1.5", "-2.25", "1e3", "1e21", "0.1", "3", `"2.5"`)
	case 'b':
		return c.one(".Values.on", ".Values.off", "true", "false")
	case 'l':
		return c.one(".Values.list", ".Values.numbers", ".Values.nolist", ".Values.mixed", ".Values.maps", `(list 3 1 2)`,
			`(list "b" "a" "b" "")`, `(until 3)`, `(splitList "," "x,,y")`)
	case 'm':
		return c.one("(dict)", `(dict "a" 1 "z" "y")`, `(dict "a" (dict "b" 2))`, "(deepCopy .Values.map)")
	case 'c':
		return c.one(".Values.list", ".Values.map", ".Values.text", ".Values.numbers", `"abc"`)
	case 'r':
		return c.one(`"[a-z]+"`, `"(l+)o"`, `"^H"`, `"x*"`, `"\\s"`, `"(?i)A|b"`, `"[^,]*,"`)
	case 'v':
		return c.one(`"1.2.3"`, `"^1.2"`, `">=1.0.0 <2"`, `"v2.0.0-rc1"`, `"~1.2.x"`, `"*"`, `"1"`)
	case 'F':
		return c.one(`"%v"`, `"%v|%v"`, `"%d-%s"`, `"%5d|%-8s|"`, `"%q %T"`, `"%08.3f"`, `"%x %X"`, `"%+v %t"`, `"%%|%c"`, `"%#v"`,
			`"%6.2v"`, `"%[2]v %[1]v"`, `"%*d"`, `"%U"`, `"%e %g"`, `"%s"`, `"%b %o"`, `"%-5t|"`)
	}
	return c.leaf("silbfm"[c.Intn(6)])
}

func (c *chooser) expression(kind byte, depth int) string {
	if depth == 0 || c.Intn(3) == 0 || strings.IndexByte("nprvF", kind) >= 0 {
		return c.leaf(kind)
	}
	fitting := giving[kind]
	if len(fitting) == 0 || c.Intn(6) == 0 {
		fitting = names
	}
	return "(" + c.call(fitting[c.Intn(len(fitting))], depth-1) + ")"
}

func (c *chooser) call(name string, depth int) string {
	signature := signatures[name]
	count := len(signature)
	if c.Intn(25) == 0 && count > 1 {
		count--
	}
	arguments := make([]string, count)
	for i := range arguments {
		arguments[i] = c.expression(signature[i], depth)
	}
	if count > 1 && c.Intn(3) == 0 {
		last := arguments[count-1]
		return last + " | " + strings.Join(append([]string{name}, arguments[:count-1]...), " ")
	}
	return strings.Join(append([]string{name}, arguments...), " ")
}

func (c *chooser) pipeline() string {
	text := c.call(names[c.Intn(len(names))], 2)
	if c.Intn(4) == 0 {
		text += " | " + c.one("quote", "toJson", "toString", "upper", "trim", "len", "default \"d\"", "printf \"%v\"", "toYaml", "nindent 2", "not", "squote", "int", "html")
	}
	return text
}

func (c *chooser) open() string  { return c.one("{{ ", "{{ ", "{{- ", "{{") }
func (c *chooser) close() string { return c.one(" }}", " }}", " -}}", "}}") }

func (c *chooser) body(depth int) string {
	var text strings.Builder
	known := len(c.variables)
	for i := 1 + c.Intn(2); i > 0; i-- {
		text.WriteString(c.one("", " ", "x", "\n  y: ", "\n", "[", "]\n"))
		text.WriteString(c.action(depth))
	}
	text.WriteString(c.one("", " ", "\n", ";"))
	c.variables = c.variables[:known]
	return text.String()
}

func (c *chooser) action(depth int) string {
	kind := c.Intn(12)
	if depth == 0 {
		kind = 11
	}
	end := c.open() + "end" + c.close()
	orElse := ""
	if c.Intn(2) == 0 && kind < 6 {
		orElse = c.open() + "else" + c.close() + c.body(depth-1)
	}
	switch kind {
	case 0, 1:
		return c.open() + "if " + c.pipeline() + c.close() + c.body(depth-1) + orElse + end
	case 2:
		return c.open() + "with " + c.pipeline() + c.close() + "{{ . }}" + orElse + end
	case 3, 4:
		over := c.one(".Values.list", ".Values.map", ".Values.mixed", ".Values.nomap", "(list 3 1 2)", `(dict "a" 1 "z" "y")`)
		known := len(c.variables)
		inner := c.one("{{ . }},", "{{ $k }}={{ $v }};", "{{ if eq (toString $k) \"1\" }}{{ continue }}{{ end }}{{ $v }}", "{{ $v }}{{ break }}")
		c.variables = c.variables[:known]
		return c.open() + "range $k, $v := " + over + c.close() + inner + orElse + end
	case 5:
		return c.open() + "range " + c.one(".Values.list", ".Values.mixed", ".Values.nolist", `(splitList "," "x,,y")`, ".Values.maps") + c.close() + "<{{ . | toString | trunc 9 }}>" + orElse + end
	case 6, 7:
		name := fmt.Sprintf("$v%d", c.Intn(3))
		for _, known := range c.variables {
			if known == name {
				return c.open() + name + " = " + c.pipeline() + c.close()
			}
		}
		text := c.open() + name + " := " + c.pipeline() + c.close()
		c.variables = append(c.variables, name)
		return text
	}
	return c.open() + c.pipeline() + c.close()
}

func random(seed int64, count int) {
	for name := range signatures {
		names = append(names, name)
	}
	// Maps are in no order.
	for i := range names {
		for k := i; k > 0 && names[k] < names[k-1]; k-- {
			names[k], names[k-1] = names[k-1], names[k]
		}
	}
	for kind, words := range results {
		giving[kind] = strings.Fields(words)
	}
	c := &chooser{Rand: rand.New(rand.NewSource(seed))}
	for i := 0; i < count; i++ {
		c.variables = nil
		rows = append(rows, row{Name: fmt.Sprintf("random.%d", i+1), Template: c.body(2), Data: json.RawMessage(values)})
	}
}
