package m

const answer = 42
