// Prints helm-like-templates/renderer/case_table.cpp from the tables of Go's package unicode.
package main

import (
	"fmt"
	"unicode"
)

func main() {
	fmt.Println(`// Made by tests/templates/generator/casetable; not to be edited.`)
	fmt.Println("// clang-format off")
	fmt.Println(`#include "helm-like-templates/renderer/case_table.hpp"`)
	fmt.Println("\nnamespace skep::templates {\n\nconst CaseRange kCaseRanges[] = {")
	for i, r := range unicode.CaseRanges {
		if i%2 == 0 {
			fmt.Print("    ")
		}
		fmt.Printf("{0x%X, 0x%X, {%d, %d, %d}},", r.Lo, r.Hi, r.Delta[0], r.Delta[1], r.Delta[2])
		if i%2 == 1 || i == len(unicode.CaseRanges)-1 {
			fmt.Println()
		} else {
			fmt.Print(" ")
		}
	}
	fmt.Println("};\nconst std::size_t kCaseRangeCount = sizeof(kCaseRanges) / sizeof(kCaseRanges[0]);")
	fmt.Println("\n}  // namespace skep::templates")
}
