package harness

import (
	"context"

	"github.com/chromedp/chromedp"
)

// OpenBrowser returns the context of a tab in a fresh Chromium without a window, which starts with the
// first action and ends with close. It makes no request that its pages don't.
func OpenBrowser(ctx context.Context) (tab context.Context, close func()) {
	ctx, stop := chromedp.NewExecAllocator(ctx,
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(1280, 800))
	tab, end := chromedp.NewContext(ctx)
	return tab, func() { end(); stop() }
}
