// A shop of the tests: its purposes in both languages, as a server would give them.

const recipients = {
  "sf-express": { in: "cn", en: ["SF Express", "China"], zh: ["顺丰速运", "中国"] },
  "baidu-tongji": { in: "cn", en: ["Baidu Tongji", "China"], zh: ["百度统计", "中国"] },
  umeng: { in: "cn", en: ["Umeng", "China"], zh: ["友盟+", "中国"] },
  "google-analytics": { in: "us", en: ["Google Analytics", "United States"], zh: ["谷歌分析", "美国"] },
  tiktok: { in: "sg", en: ["TikTok", "Singapore"], zh: ["TikTok", "新加坡"] },
  "google-ads": { in: "us", en: ["Google Ads", "United States"], zh: ["谷歌广告", "美国"] },
  "hill-video": { in: "sg", en: ["Hill Video", "Singapore"], zh: ["山间视频", "新加坡"] },
  "repair-desk": { in: "us", en: ["Repair Desk Inc.", "United States"], zh: ["Repair Desk 维修公司", "美国"] },
};

const purposes = [
  {
    name: "delivery", kind: "necessary", recipients: ["sf-express"], signals: ["functionality_storage", "security_storage"],
    en: ["Your order and its delivery", "To take your order and bring the parcel to you."],
    zh: ["下单与配送", "为您处理订单，并把包裹送到您手中。"],
  },
  {
    name: "statistics", kind: "consent", recipients: ["baidu-tongji", "umeng", "google-analytics"], signals: ["analytics_storage"],
    cookies: ["Hm_*", "HMACCOUNT*", "UM_distinctid", "CNZZDATA*", "_ga", "_ga_*", "_gid"], storage: ["Hm_*", "umeng_*"],
    en: ["Visitor statistics", "To see which pages are read, so that we can mend those that nobody finds."],
    zh: ["访问统计", "了解哪些页面有人看，以便改进不好找的页面。"],
  },
  {
    name: "advertising", kind: "consent", recipients: ["tiktok", "google-ads"], signals: ["ad_storage", "ad_user_data", "ad_personalization"],
    cookies: ["_ttp", "_tt_*", "ttcsid*", "_gcl_*"], storage: ["tt_*"],
    en: ["Advertising", "To show you our goods on other sites, and to see which advertisements bring visitors."],
    zh: ["广告推广", "在其他网站向您展示我们的商品，并了解哪些广告带来了访客。"],
  },
  {
    name: "videos", kind: "consent", recipients: ["hill-video"], signals: [], cookies: ["hv_*"], storage: ["hv_*"],
    en: ["Product videos", "To play the videos on our product pages."],
    zh: ["商品视频", "在商品页面播放视频。"],
  },
  {
    name: "suggestions", kind: "interest", recipients: [], signals: ["personalization_storage"], cookies: ["sg_*"], storage: [],
    en: ["Suggestions in the shop", "To put goods first that go with what you have looked at."],
    zh: ["店内推荐", "根据您看过的商品，优先展示相关商品。"],
  },
  {
    name: "repairs", kind: "separate", recipients: ["repair-desk"], signals: [], cookies: [], storage: [],
    en: ["Repairs abroad", "To send your name, telephone number and address to our repair shop in the United States."],
    zh: ["境外维修", "向我们在美国的维修合作方提供您的姓名、电话和地址。"],
  },
];

const KINDS = { cn: { suggestions: "consent" }, "us-ca": { advertising: { on_by_default: true }, statistics: { on_by_default: true }, videos: { on_by_default: true } } };

/** The purposes that a shop asks about under a law, in a language. */
export function purposesUnder(law, language) {
  return purposes.filter(({ name }) => law !== "us-ca" || name !== "repairs").map((purpose) => {
    const [label, says] = purpose[language];
    const own = KINDS[law]?.[purpose.name];
    return {
      name: purpose.name,
      label,
      says,
      kind: typeof own === "string" ? own : purpose.kind,
      ...(own?.on_by_default ? { on_by_default: true } : {}),
      recipients: purpose.recipients.map((name) => {
        const [label, place] = recipients[name][language];
        return { name, label, in: recipients[name].in, place };
      }),
      signals: purpose.signals,
      cookies: purpose.cookies ?? [],
      storage: purpose.storage ?? [],
    };
  });
}

export const SHOP = { en: "Harbour & Hill", zh: "海港与山" };
