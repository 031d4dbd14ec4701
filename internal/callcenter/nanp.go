package callcenter

import "strings"

// northAmerica is the country code of the North American Numbering Plan, in which 25 countries and territories live.
const northAmerica = "+1"

// nanpDigits: three of the area, three of the exchange, four of the line.
const nanpDigits = 10

// areas are the area codes of the plan's countries but the United States, which have all others. Their territories
// count as they: the law has them charged alike.
var areas = map[string]string{
	"ca": `204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 474
		506 514 519 548 579 581 584 587 600 604 613 622 633 639 644 647 655 672 677 683 688 705 709 742 753 778 780 782
		807 819 825 867 873 879 902 905 942`,
	"ag": "268", "ai": "264", "bb": "246", "bm": "441", "bs": "242", "dm": "767", "do": "809 829 849", "gd": "473",
	"jm": "658 876", "kn": "869", "ky": "345", "lc": "758", "ms": "664", "sx": "721", "tc": "649", "tt": "868",
	"vc": "784", "vg": "284",
}

// tollFree are the area codes for which the called one pays, from the United States and Canada.
const tollFree = "800 833 844 855 866 877 888"

// costlyAreas are area codes of no place: premium (900), interexchange carriers (700) and personal numbers.
const costlyAreas = `900 700 500 521 522 523 524 525 526 527 528 529 532 533 535 538 542 543 544 545 547 549 550 552 553
	554 556 558 566 569 577 578 588 589`

// premiumExchange is the exchange of premium numbers within an area.
const premiumExchange = "976"

// domesticNANP says whether the national number is an ordinary one of the country: three digits of
// an area and three of an exchange, each from 200 on and no service code (211 to 911), and four more.
func domesticNANP(country, national string) bool {
	if len(national) != nanpDigits {
		return false
	}
	area, exchange := national[:3], national[3:6]
	if !isNXX(area) || !isNXX(exchange) || exchange == premiumExchange || beginsWith(area, costlyAreas) {
		return false
	}
	own, abroad := areas[country]
	switch {
	case beginsWith(area, tollFree):
		return !abroad || country == "ca"
	case abroad:
		return beginsWith(area, own)
	}
	for _, theirs := range areas {
		if beginsWith(area, theirs) {
			return false
		}
	}
	return true
}

// isNXX says whether three digits are an area or exchange, and no service code.
func isNXX(digits string) bool {
	return digits[0] >= '2' && !strings.HasSuffix(digits, "11")
}
