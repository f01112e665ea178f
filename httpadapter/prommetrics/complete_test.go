package prommetrics

import (
	"math"
	"reflect"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// TestEveryFigureIsShown raises the fields of the stats one after the other and wants to see it in a metric.
func TestEveryFigureIsShown(t *testing.T) {
	t.Parallel()
	everyField(t, serverMetrics, "Closes")
	everyField(t, chatMetrics)
	everyField(t, consultationMetrics)
	everyField(t, storeMetrics)
	everyField(t, relayMetrics, "HandOffs", "HandOffTime", "Backlog")
	everyField(t, outboxMetrics)
}

// everyField leaves out the fields that are no single numbers and are shown in another way.
func everyField[S any](t *testing.T, metrics []metric[S], otherwise ...string) {
	t.Helper()
	sum := func(st S) (sum float64) {
		for _, m := range metrics {
			var out dto.Metric
			require.NoError(t, m.of(st).Write(&out))
			sum += out.GetCounter().GetValue() + out.GetGauge().GetValue()
		}
		return sum
	}
	var zero S
	require.Zero(t, sum(zero))
	for _, f := range reflect.VisibleFields(reflect.TypeFor[S]()) {
		var st S
		v := reflect.ValueOf(&st).Elem().FieldByIndex(f.Index)
		switch {
		case v.CanInt():
			v.SetInt(math.MaxInt32)
		case v.CanUint():
			v.SetUint(math.MaxInt32)
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		}
		if sum(st) == 0 {
			require.Contains(t, otherwise, f.Name, "a field of %T is in no metric: add it to metrics.go", st)
		}
	}
}
