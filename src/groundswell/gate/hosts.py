"""Hosts that links lead to, as data: shorteners, hosts where a path names an account, tracking parameters.

Incomplete by nature; a host that is missing here is treated as an ordinary site. Owns no code.
"""

from __future__ import annotations

__all__ = ["ACCOUNT_SECTIONS", "HOSTED", "PROFILES", "SHORTENERS", "TRACKING"]

_SHORTENERS = """
    t.co bit.ly bitly.com tinyurl.com goo.gl ow.ly buff.ly is.gd v.gd dlvr.it ift.tt fb.me lnkd.in
    youtu.be amzn.to trib.al wp.me tiny.cc cutt.ly rb.gy rebrand.ly shorturl.at t.ly s.id j.mp su.pr
    po.st soo.gd adf.ly bl.ink tmblr.co snip.ly short.io smarturl.it lnk.to tcrn.ch nyti.ms wapo.st
    bbc.in cnn.it reut.rs bloom.bg gu.com econ.st apne.ws usat.ly nbcnews.to cbsn.ws abcn.ws fxn.ws
    huff.to hill.cm politi.co on.wsj.com on.ft.com on.cnn.com n.pr dld.bz twurl.nl hubs.ly spr.ly mol.im
    vk.cc clck.ru u.to dwz.cn url.cn suo.im t.cn 5.gp me2.do han.gl ko.gl qr.ae g.co yhoo.it 4sq.com
    swarmapp.com instagr.am pic.twitter.com is.gd shar.es ln.is fw.to zpr.io
"""
SHORTENERS = frozenset(_SHORTENERS.split())

# Hosts where a path begins with an account | the first path segments there that are no account.
_PROFILES = """
    twitter.com x.com nitter.net fxtwitter.com vxtwitter.com | hashtag search i home explore settings intent
    bsky.app staging.bsky.app | search hashtag starter-pack settings
    facebook.com fb.com fb.watch messenger.com | events groups watch hashtag sharer sharer.php reel
    instagram.com threads.net threads.com | explore p reel reels tv accounts
    tiktok.com vm.tiktok.com | tag discover music explore
    t.me telegram.me telegram.dog | joinchat share
    linkedin.com | company news pulse jobs feed posts school learning events
    youtube.com | watch playlist results shorts live embed feed hashtag
    twitch.tv | directory videos p
    reddit.com old.reddit.com new.reddit.com redd.it | r search comments
    snapchat.com | discover lens spotlight
    pinterest.com | pin ideas search
    vk.com vk.ru ok.ru | search feed video music groups
    weibo.com weibo.cn | search hot topic
    github.com gitlab.com | topics trending features explore search about
    soundcloud.com | discover search charts
    medium.com | tag topic search m
    quora.com | topic search
    vimeo.com | watch channels categories
    flickr.com | groups explore search
    steamcommunity.com | app groups market
    patreon.com ko-fi.com buymeacoffee.com onlyfans.com cash.app paypal.me paypal.com venmo.com | about
    about.me keybase.io gravatar.com discord.gg discord.com discordapp.com wa.me api.whatsapp.com |
    signal.me linktr.ee |
    gofundme.com | f discover c
    plc.directory njump.me primal.net snort.social truthsocial.com gab.com gettr.com parler.com | tags search
"""


def _by_host(table: str) -> dict[str, frozenset[str]]:
    lines = [line.partition("|") for line in table.strip().splitlines()]
    return {host: frozenset(sections.split()) for hosts, _, sections in lines for host in hosts.split()}


PROFILES = _by_host(_PROFILES)

_HOSTED = """
    .bsky.social .tumblr.com .substack.com .wordpress.com .blogspot.com .livejournal.com .deviantart.com
    .carrd.co .bandcamp.com .medium.com .brid.gy .github.io .typepad.com .weebly.com .wixsite.com
    .netlify.app
"""
HOSTED = tuple(_HOSTED.split())
"""Domains under which an account has a subdomain; its root is the profile."""

ACCOUNT_SECTIONS = frozenset(["author", "member", "members", "profile", "profiles", "u", "user", "users"])
"""First path segments behind which an account follows, on any host."""

_TRACKING = """
    __twitter_impression at_campaign at_medium cmpid dclid fbclid feature ftag gclid guccounter igsh
    igshid mc_cid mc_eid msclkid ncid ocid ref ref_src ref_url referrer s share si smid smtyp spm
    sr_share yclid
"""
TRACKING = frozenset(_TRACKING.split())
"""Query parameters that say how a link was shared, not where it leads; besides `utm_*`."""
