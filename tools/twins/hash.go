package main

import "github.com/lockbench/lockbench/check"

var hash = []twin{
	{file: "hash.go", fault: "grow moves entries from a table that has readers", kind: check.Assertion,
		old: "		for n := t.chains[i].Front(); n != nil; n = n.Next() {\n			// A copy, by I2: a reader may be on n, whose link it needs.\n			big.chain(n.Value.hash).AddFront(&list.HNode[entry[K, V]]{Value: n.Value})\n",
		new: "		for n := t.chains[i].Front(); n != nil; n = t.chains[i].Front() {\n			big.chain(n.Value.hash).AddFront(t.chains[i].Delete(n))\n"},
	{file: "hash.go", fault: "grow publishes the table and fills it then", kind: check.Assertion,
		old: "	big := newTable[K, V](2 * len(t.chains))\n",
		new: "	big := newTable[K, V](2 * len(t.chains))\n	m.table.Assign(big)\n"},
	{file: "hash.go", fault: "the updater that made the table grow adds to the old one", kind: check.Assertion,
		old: "		t = m.grow(t)\n",
		new: "		m.grow(t)\n"},
	{file: "hash.go", fault: "Store deletes the old value and adds the new one", kind: check.Assertion,
		old: "		return t.chain(hash).Replace(n, fresh).Value.value, true\n",
		new: "		t.chain(hash).Delete(n)\n		t.chain(hash).AddFront(fresh)\n		return n.Value.value, true\n"},
	{file: "hash.go", fault: "readers take the chain of one table and the mask of another", kind: check.Panic,
		old: "	if n := m.table.Dereference().find(m.Hash(key), key); n != nil {",
		new: "	t := &table[K, V]{m.table.Dereference().mask, m.table.Dereference().chains}\n	t.mask = m.table.Dereference().mask\n	if n := t.find(m.Hash(key), key); n != nil {"},
	{file: "hash.go", fault: "Delete leaves the entry to the next growth", kind: check.Assertion,
		old: "	return t.chain(hash).Delete(n).Value.value, true\n",
		new: "	return n.Value.value, true\n"},
}
