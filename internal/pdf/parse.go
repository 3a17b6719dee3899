package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Bounds for hostile files: what a parser may make of at most 16 MiB.
const (
	maxDecoded = 64 << 20
	maxObjects = 500_000
	maxDepth   = 64
	maxNodes   = 50_000 // of the page tree
)

// A4 in points, and how far a page may be from it.
const (
	a4Width, a4Height = 595, 842
	a4Slack           = 2
)

var (
	// errLocked: a password is needed to open the document.
	errLocked = errors.New("password needed")
	// errGaveUp: the parser failed in a way that says nothing about the document.
	errGaveUp = errors.New("not understood")
)

// quiet keeps the library from looking for a configuration folder in the user's
// home: a service may have none. It is a process-wide switch of the library.
var quiet = sync.OnceFunc(func() { model.ConfigPath = "disable" })

// document is what a parsed file says of itself.
type document struct {
	pages     int
	a4        bool
	encrypted bool
}

// parse reads the structure of a whole file. The library panics on some broken
// input, so any panic is an errGaveUp.
func parse(ctx context.Context, whole []byte) (doc document, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errGaveUp, p)
		}
	}()
	x, err := open(ctx, whole)
	if err != nil {
		return doc, err
	}
	doc.encrypted = x.Encrypt != nil
	doc.a4 = true
	err = eachPage(ctx, x, func(p page) error {
		doc.pages++
		doc.a4 = doc.a4 && p.isA4()
		return nil
	})
	if err == nil && doc.pages == 0 {
		err = errNoPages
	}
	return doc, err
}

func open(ctx context.Context, whole []byte) (*model.Context, error) {
	quiet()
	conf := model.NewDefaultConfiguration()
	conf.Cmd = model.VALIDATE
	conf.ValidationMode = model.ValidationRelaxed
	conf.Offline = true
	conf.Limits.MaxStreamBytes = DeepLimit
	conf.Limits.MaxDecodeBytes = maxDecoded
	conf.Limits.MaxObjectCount = maxObjects
	conf.Limits.MaxXRefEntries = maxObjects
	conf.Limits.MaxRecursionDepth = maxDepth
	x, err := pdfcpu.ReadWithContext(ctx, bytes.NewReader(whole), conf)
	if errors.Is(err, pdfcpu.ErrWrongPassword) {
		return nil, errLocked
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", errGaveUp, ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("read structure: %w", err)
	}
	return x, nil
}

// page is one leaf of the page tree.
type page struct {
	dict          types.Dict
	width, height float64 // as shown, in points
}

func (p page) isA4() bool {
	return math.Abs(p.width-a4Width) <= a4Slack && math.Abs(p.height-a4Height) <= a4Slack
}

// inherited are the attributes that a page takes from the nodes above it.
type inherited struct {
	box    types.Array
	rotate int
}

// eachPage visits the pages in order. The library's own walk has no bound on a tree
// whose branches share children, so the tree is walked here: a node is entered once.
func eachPage(ctx context.Context, x *model.Context, visit func(page) error) error {
	root, err := x.Pages()
	if err != nil {
		return fmt.Errorf("page tree: %w", err)
	}
	if root == nil {
		return errNoPages
	}
	w := walk{doc: x, seen: map[types.IndirectRef]bool{}, visit: visit}
	return w.node(ctx, *root, inherited{}, 0)
}

type walk struct {
	doc   *model.Context
	seen  map[types.IndirectRef]bool
	nodes int
	visit func(page) error
}

func (w *walk) node(ctx context.Context, o types.Object, from inherited, depth int) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", errGaveUp, err)
	}
	if w.nodes++; w.nodes > maxNodes || depth > maxDepth {
		return fmt.Errorf("%w: page tree too large", errGaveUp)
	}
	if ref, ok := o.(types.IndirectRef); ok {
		if w.seen[ref] {
			return errors.New("page tree: a node stands in it twice")
		}
		w.seen[ref] = true
	}
	d, err := w.doc.DereferenceDict(o)
	if err != nil {
		return fmt.Errorf("page tree: %w", err)
	}
	if d == nil {
		return errors.New("page tree: a node is missing")
	}
	if box, err := w.doc.DereferenceArray(d["MediaBox"]); err == nil && len(box) == 4 {
		from.box = box
	}
	if turn, err := w.doc.DereferenceInteger(d["Rotate"]); err == nil && turn != nil {
		from.rotate = turn.Value()
	}
	kids, ok := d["Kids"]
	if !ok {
		return w.visit(w.page(d, from))
	}
	list, err := w.doc.DereferenceArray(kids)
	if err != nil {
		return fmt.Errorf("page tree: %w", err)
	}
	for _, kid := range list {
		if err := w.node(ctx, kid, from, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) page(d types.Dict, from inherited) page {
	p := page{dict: d}
	var corner [4]float64
	for i := range min(4, len(from.box)) {
		corner[i], _ = w.doc.DereferenceNumber(from.box[i])
	}
	p.width, p.height = math.Abs(corner[2]-corner[0]), math.Abs(corner[3]-corner[1])
	if from.rotate%180 != 0 {
		p.width, p.height = p.height, p.width
	}
	return p
}
