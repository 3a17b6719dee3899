package mapping

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// takeDocument reads one document section of the row: a file, or all that match.
func (b *builder) takeDocument(section int, v *documentValues) {
	if !b.reader.when(v.when) {
		return
	}
	name := b.reader.get(v.file)
	if name == "" {
		return
	}
	title := b.reader.get(v.title)
	files := []string{slashed(name)}
	if v.glob {
		pattern := slashed(name)
		if v.folder {
			pattern = strings.TrimSuffix(pattern, "/") + "/*.pdf"
		}
		if files = b.list(v.file, pattern); files == nil && !v.optional {
			files = b.await(pattern)
		}
	}
	act := -1
	if v.act && len(files) > 0 {
		act = b.act(v, files)
	}
	for i, f := range files {
		d := document{from: partOrigin{b.row, section}, file: f, title: title, act: i == act}
		if title != "" && i > 0 {
			d.title = title + " (" + strconv.Itoa(i+1) + ")"
		}
		b.addDocument(d)
	}
}

// act is which of the files is the act: the first, or the one the pattern tells.
func (b *builder) act(v *documentValues, files []string) int {
	if v.actPattern == "" {
		return 0
	}
	pattern := strings.ToLower(v.actPattern)
	var found []int
	for i, f := range files {
		if ok, err := path.Match(pattern, strings.ToLower(path.Base(f))); err == nil && ok {
			found = append(found, i)
		}
	}
	switch {
	case len(found) == 1:
		return found[0]
	case v.glob && len(files) == 1 && strings.ContainsAny(files[0], "*?["):
		return 0 // nothing is there yet; the missing pattern says so
	}
	b.reader.add("C-ACT-UNCLEAR", v.file.label, "pattern", v.actPattern, "found", strconv.Itoa(len(found)))
	return -1
}

// addDocument adds a document; the same file given again by another row counts once.
func (b *builder) addDocument(d document) {
	for i := range b.files {
		known := &b.files[i]
		if known.file != d.file || known.from.row == d.from.row {
			continue
		}
		switch {
		case d.title == "" || d.title == known.title:
		case known.title == "":
			known.title = d.title
		default:
			b.disagree(b.m.documents[d.from.section].title, known.from.row, known.title, d.title)
		}
		known.act = known.act || d.act
		return
	}
	b.files = append(b.files, d)
}

// list gives the files that match a pattern, in alphabetical order; nil if there are
// none.
func (b *builder) list(v *value, pattern string) []string {
	if b.m.d.Glob == nil {
		return nil
	}
	files, err := b.m.d.Glob(pattern)
	if err != nil {
		b.reader.add("C-DOCUMENT-LIST", v.label, "pattern", pattern)
		return nil
	}
	if len(files) == 0 {
		return nil
	}
	files = slices.Clone(files)
	slices.Sort(files)
	return files
}

// await lets the pattern itself stand for what is missing: no file can be called so.
func (b *builder) await(pattern string) []string {
	if !slices.Contains(b.d.Awaited, pattern) {
		b.d.Awaited = append(b.d.Awaited, pattern)
	}
	return []string{pattern}
}

// oneFile is the file of a payment: by name, or the only match of a pattern.
func (b *builder) oneFile(v *value, name string, glob bool) string {
	name = slashed(name)
	if !glob {
		return name
	}
	files := b.list(v, name)
	if len(files) > 1 {
		b.reader.add("C-PAYMENT-FILES", v.label, "pattern", name, "found", strconv.Itoa(len(files)))
		return name
	}
	if len(files) == 0 {
		files = b.await(name)
	}
	return files[0]
}

// slashed writes a relative name as the request wants it: Windows programs write
// backslashes.
func slashed(name string) string {
	if strings.IndexByte(name, '\\') >= 0 {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	return strings.TrimPrefix(name, "./")
}
