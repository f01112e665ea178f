package httpadapter

import (
	"net/http"
	"net/url"
	"strings"
)

// isForeign reports whether a request that could change something comes from a
// page of a foreign origin. [http.CrossOriginProtection] compares the text of
// Origin with that of Host where the browser says nothing in Sec-Fetch-Site.
// Browsers leave the scheme's own port out, and a proxy may add it to Host.
func (h *Handler) isForeign(r *http.Request) bool {
	if h.origin.Check(r) == nil {
		return false
	}
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return true
	}
	from, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || from.Host == "" {
		return true
	}
	port, ok := map[string]string{"http": ":80", "https": ":443"}[from.Scheme]
	return !ok || !strings.EqualFold(strings.TrimSuffix(from.Host, port), strings.TrimSuffix(r.Host, port))
}
