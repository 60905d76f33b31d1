// SPDX-License-Identifier: Apache-2.0

// Words counts the words of its input. ./dev fusion translates it, and the parts of the standard
// library that it takes along, as the sample of what Go compilers write. It is never run.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

type item struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func main() {
	words := map[string]int{}
	in := bufio.NewScanner(os.Stdin)
	in.Split(bufio.ScanWords)
	for in.Scan() {
		words[strings.ToLower(in.Text())]++
	}
	items := make([]item, 0, len(words))
	for w, n := range words {
		items = append(items, item{w, n})
	}
	sort.Slice(items, func(a, b int) bool { return items[a].Count > items[b].Count })
	out, err := json.Marshal(items)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(out))
}
