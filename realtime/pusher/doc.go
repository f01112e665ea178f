// Package pusher is the transport over hosted Pusher Channels. So far it has the settings, as existing deployments keep
// them in the environment:
//
//	cfg, err := pusher.ConfigFromEnv(nil)
//
// This is the only package that imports the vendor's library.
package pusher
