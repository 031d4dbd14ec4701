package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report gathers the rows of the table and shows progress meanwhile.
type report struct {
	began time.Time
	rows  [][3]string
}

// say shows progress on standard error, so that standard output is the table alone.
func (r *report) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%4.0fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// add is one row; aim says what a peer reaches or what is aimed at.
func (r *report) add(figure, aim, format string, args ...any) {
	value := fmt.Sprintf(format, args...)
	r.rows = append(r.rows, [3]string{figure, value, aim})
	r.say("  %s: %s", figure, value)
}

func (r *report) print() {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| figure\t| measured\t| aim, or peer\t|")
	fmt.Fprintln(table, "| ---\t| ---\t| ---\t|")
	for _, row := range r.rows {
		fmt.Fprintf(table, "| %s\t|\n", strings.Join(row[:], "\t| "))
	}
	_ = table.Flush()
}

// times are samples of one duration.
type times []time.Duration

// at is the quantile q of 0..1; 0 of no samples.
func (t times) at(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func ms(d time.Duration) string {
	value := float64(d) / float64(time.Millisecond)
	if value < 10 {
		return fmt.Sprintf("%.2f ms", value)
	}
	return fmt.Sprintf("%.0f ms", value)
}

// spread is the usual way to print times.
func (t times) spread() string {
	return fmt.Sprintf("p50 %s, p99 %s, max %s", ms(t.at(0.5)), ms(t.at(0.99)), ms(t.at(1)))
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
