package slowbench

var Mutate = mutate
