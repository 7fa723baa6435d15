package wording

import (
	"encoding/json"
	"fmt"
	"math"
)

// A JSONNumber is a number in JSON: null if it is not one (NaN), "inf" or "-inf".
type JSONNumber float64

func (n JSONNumber) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte("null"), nil
	case math.IsInf(v, +1):
		return []byte(`"inf"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-inf"`), nil
	default:
		return json.Marshal(v)
	}
}

func (n *JSONNumber) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "null":
		*n = JSONNumber(math.NaN())
	case `"inf"`:
		*n = JSONNumber(math.Inf(+1))
	case `"-inf"`:
		*n = JSONNumber(math.Inf(-1))
	default:
		var v float64
		if err := json.Unmarshal(text, &v); err != nil {
			return fmt.Errorf("%s: want a number, null, \"inf\" or \"-inf\"", text)
		}
		*n = JSONNumber(v)
	}
	return nil
}
