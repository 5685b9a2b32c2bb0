// Renders every row with Go's text/template, the Sprig functions and those that Helm adds, and
// prints the results as JSON. Differences from Helm that are meant (README.md of the templates) are
// carried out here: whole numbers of YAML and JSON are ints, malformed text is an error.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type row struct {
	Name     string          `json:"name"`
	Helpers  string          `json:"helpers,omitempty"`
	Template string          `json:"template"`
	Data     json.RawMessage `json:"-"` // The same for all: it stands once, at the top.
	Output   *string         `json:"output,omitempty"`
	Error    string          `json:"error,omitempty"`
	Line     int             `json:"line,omitempty"`
}

var rows []row

func group(name, data string, templates ...string) {
	for i, text := range templates {
		rows = append(rows, row{Name: fmt.Sprintf("%s.%d", name, i+1), Template: text, Data: json.RawMessage(data)})
	}
}

func helped(name, data, helpers string, templates ...string) {
	for i, text := range templates {
		rows = append(rows, row{Name: fmt.Sprintf("%s.%d", name, i+1), Helpers: helpers, Template: text, Data: json.RawMessage(data)})
	}
}

// Whole numbers become int.
func plain(value interface{}) interface{} {
	switch v := value.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return int(i)
		}
		f, _ := v.Float64()
		return f
	case []interface{}:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]interface{}:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return value
}

func readJSON(text string) (interface{}, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value interface{}
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return plain(value), nil
}

func readYAML(text string) (interface{}, error) {
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	value, err := readJSON(string(asJSON))
	if value == nil && err == nil {
		return map[string]interface{}{}, nil
	}
	return value, err
}

func functions(t *template.Template) template.FuncMap {
	f := sprig.TxtFuncMap()
	depth := 0
	include := func(name string, data interface{}) (string, error) {
		if depth++; depth > 100 {
			return "", errors.New("too deep")
		}
		defer func() { depth-- }()
		var out bytes.Buffer
		err := t.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	f["include"] = include
	f["tpl"] = func(text string, data interface{}) (string, error) {
		own, err := t.Clone()
		if err != nil {
			return "", err
		}
		own, err = own.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}
		own.Option("missingkey=zero")
		var out bytes.Buffer
		err = own.Execute(&out, data)
		return strings.ReplaceAll(out.String(), "<no value>", ""), err
	}
	f["required"] = func(message string, value interface{}) (interface{}, error) {
		if text, ok := value.(string); value == nil || ok && text == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	f["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(text), "\n")
	}
	f["fromYaml"] = readYAML
	f["fromJson"] = readJSON
	for _, name := range []string{"env", "expandenv", "now", "uuidv4", "genCA", "call"} {
		delete(f, name)
	}
	return f
}

var where = regexp.MustCompile(`^template: main:(\d+)`)

func (r *row) render() {
	t := template.New("main").Option("missingkey=zero")
	t.Funcs(functions(t))
	fail := func(err error) {
		r.Error = err.Error()
		if m := where.FindStringSubmatch(r.Error); m != nil {
			r.Line, _ = strconv.Atoi(m[1])
		}
	}
	if r.Helpers != "" {
		if _, err := t.New("_helpers.tpl").Parse(r.Helpers); err != nil {
			fail(err)
			return
		}
	}
	if _, err := t.Parse(r.Template); err != nil {
		fail(err)
		return
	}
	data, err := readJSON(string(r.Data))
	if err != nil {
		panic(r.Name + ": " + err.Error())
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		fail(err)
		return
	}
	text := strings.ReplaceAll(out.String(), "<no value>", "")
	r.Output = &text
}

func main() {
	count := flag.Int("random", 0, "instead of the written rows: so many random ones")
	seed := flag.Int64("seed", 1, "of the random rows")
	flag.Parse()
	if *count > 0 {
		rows = nil
		random(*seed, *count)
	}
	for i := range rows {
		rows[i].render()
	}
	if *count > 0 {
		// JSON holds no broken characters.
		written := rows[:0]
		for _, r := range rows {
			if r.Output == nil || utf8.ValidString(*r.Output) {
				written = append(written, r)
			}
		}
		rows = written
	}
	fmt.Printf("{\"data\": %s,\n\"rows\": [", values)
	for i, r := range rows {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r); err != nil {
			panic(err)
		}
		if i > 0 {
			fmt.Print(",")
		}
		fmt.Print("\n", strings.TrimSpace(line.String()))
	}
	fmt.Println("\n]}")
}
