package browser

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"switchboard/internal/limit"
	"switchboard/test/lab"
)

// The whole way: wrong passwords over SIP, a refused address, the live feed, the page.
func TestGuessedPasswordsAreSeenOnThePage(t *testing.T) {
	browser := startBrowser(t)
	l := lab.New(t, nil)
	link, err := l.App.SignInLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &tab{T: t, ctx: ctx}
	p.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(link))
	p.until(`document.querySelector("[data-link=live]") !== null`)
	username, _ := l.Operator("Ada").SIPDevice()
	for range limit.MaxSIPFailures {
		lab.Scenario(t, "guess", l.SIP, 20*time.Second,
			"-m", "1", "-key", "user", username, "-au", username, "-ap", "guess").MustSucceed()
	}
	p.until(`document.body.innerText.includes("127.0.0.1: This address guessed SIP passwords")`)
	p.shoot("guessed")
}
