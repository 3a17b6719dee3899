// Package pdf looks at a document before it is sent: is it a PDF at all, is it
// whole, is it locked, how many pages has it and are they A4. Start with Check (an
// open file) or CheckFile (a path); Codes looks for tax codes and notice numbers in
// the text, where it can be read.
//
// SEND itself looks at the first five bytes and the size only, and bills what it
// refuses; the rest is checked because half a file or a locked one would reach the
// citizen as it is. The file is never changed. Files up to DeepLimit are read
// through; of longer ones only head and tail are looked at, so that a document of
// 200 MB needs no more memory than a small one.
//
// Nothing here keeps state: after a crash the check is simply made again.
package pdf
