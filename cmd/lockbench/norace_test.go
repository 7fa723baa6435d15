//go:build !race

package main

const racy = false
