package main

import (
	"fmt"
	"strconv"
	"strings"
)

// The arithmetic of tax codes and notice numbers, so that every invented code has the
// check characters of a real one. Source: reference/send-validation.md, 4 and 5. It
// is written apart from the connector's own, which these samples are to judge.

// oddValues are the values of characters on odd positions, for 0-9 and A-Z.
var oddValues = [...]int{
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
}

// personalCode is the tax code of an invented person; sex is M or F, place the four
// characters of the place of birth.
func personalCode(surname, name string, sex byte, year, month, day int, place string) string {
	if sex == 'F' {
		day += 40
	}
	code := surnamePart(surname) + namePart(name) +
		fmt.Sprintf("%02d%c%02d%s", year%100, "ABCDEHLMPRST"[month-1], day, place)
	return code + checkLetter(code)
}

func checkLetter(first15 string) string {
	sum := 0
	for i := range len(first15) {
		c := first15[i]
		value, index := int(c-'0'), int(c-'0')
		if c >= 'A' {
			value, index = int(c-'A'), int(c-'A')+10
		}
		if i%2 == 0 {
			value = oddValues[index]
		}
		sum += value
	}
	return string(rune('A' + sum%26))
}

func surnamePart(surname string) string {
	consonants, vowels := lettersOf(surname)
	return (consonants + vowels + "XXX")[:3]
}

func namePart(name string) string {
	consonants, vowels := lettersOf(name)
	if len(consonants) >= 4 {
		return consonants[:1] + consonants[2:4]
	}
	return (consonants + vowels + "XXX")[:3]
}

// lettersOf parts the letters of a name without accents.
func lettersOf(name string) (consonants, vowels string) {
	plain := strings.NewReplacer("À", "A", "È", "E", "É", "E", "Ì", "I", "Ò", "O", "Ù", "U").Replace(strings.ToUpper(name))
	for _, r := range plain {
		switch {
		case strings.ContainsRune("AEIOU", r):
			vowels += string(r)
		case r >= 'A' && r <= 'Z':
			consonants += string(r)
		}
	}
	return consonants, vowels
}

// companyCode adds the check digit to the ten digits of a company's or body's code.
func companyCode(first10 string) string {
	sum := 0
	for i := range len(first10) {
		n := int(first10[i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return first10 + strconv.Itoa((10-sum%10)%10)
}

// noticeNumber is a notice with aux digit 3 and segregation code 01; serial has at
// most 13 digits.
func noticeNumber(serial int) string {
	first16 := fmt.Sprintf("301%013d", serial)
	n, err := strconv.ParseUint(first16, 10, 64)
	if err != nil {
		panic(err) // a serial of more than 13 digits is a mistake in this program
	}
	return first16 + fmt.Sprintf("%02d", n%93)
}

// wrongLetter spoils the check letter of a code.
func wrongLetter(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string(rune('A'+(last-'A'+1)%26))
}
