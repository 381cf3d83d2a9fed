//! Who the shop is, how it is reached, where people complain, and how the notice changes.

use super::{Block, Line, Scribe};
use crate::record::words;
use crate::words::Channel;
use rulebook::Pack;

pub(super) fn shop(scribe: &Scribe<'_>) -> Vec<Block> {
    let shop = &scribe.policy.shop;
    let mut facts = vec![(scribe.say("Shop", "店铺"), vec![scribe.shop()])];
    if let Some(address) = &shop.address {
        facts.push((scribe.say("Business", "经营者"), vec![Line::shop(address.clone())]));
    }
    facts.push((
        scribe.say("Answers for your data", "个人信息保护负责人"),
        vec![Line::shop(shop.officer.name.clone()), Line::contact(&shop.officer.contact)],
    ));
    for representative in &shop.representatives {
        let place = scribe.country(&representative.place);
        facts.push((
            scribe.fill("Stands for us in: {0}", "我们在{0}的代表", &[place]),
            vec![Line::shop(representative.name.clone()), Line::contact(&representative.contact)],
        ));
    }
    let elsewhere = shop.sells_on.iter().filter(|channel| **channel != Channel::Own);
    let channels: Vec<Line> = elsewhere.map(|channel| scribe.words(words::channel(*channel))).collect();
    if !channels.is_empty() {
        facts.push((scribe.say("Also sells on", "其他销售渠道"), vec![scribe.list(channels)]));
    }
    facts.push((scribe.say("Seat", "经营所在地"), vec![scribe.country(&shop.established_in)]));
    vec![Block::Facts(facts)]
}

pub(super) fn complaints(scribe: &Scribe<'_>) -> Vec<Block> {
    let officer = Line::contact(&scribe.policy.shop.officer.contact);
    let ask = scribe.fill(
        "If something is unclear, or you think that we do not keep our word, write to {0}. A person reads it and answers.",
        "对本政策有疑问，或者认为我们没有做到，请联系{0}。会有专人阅读并答复您。",
        &[officer],
    );
    let free = scribe.say(
        "You do not have to write to us first. You can always turn to an authority or to a court:",
        "您不必先联系我们，可以随时向监管部门投诉、举报，也可以依法向人民法院或当地法院起诉：",
    );
    let mut authorities: Vec<Line> = scribe.laws.iter().filter_map(|law| authority(scribe, law)).collect();
    let unnamed = || scribe.laws.iter().filter(|law| authority(scribe, law).is_none());
    let (states, others): (Vec<&Pack>, Vec<&Pack>) = unnamed().partition(|law| law.id.starts_with("us-"));
    let names = |laws: &[&Pack]| scribe.list(laws.iter().map(|law| scribe.law(law)));
    if !states.is_empty() {
        let pattern = ("{0}: the Attorney General of the state", "{0}：州总检察长");
        authorities.push(scribe.fill(pattern.0, pattern.1, &[names(&states)]));
    }
    if !others.is_empty() {
        let pattern =
            ("{0}: the authority for data protection there", "{0}：当地个人信息（数据）保护监管机构");
        authorities.push(scribe.fill(pattern.0, pattern.1, &[names(&others)]));
    }
    if authorities.is_empty() {
        authorities.push(scribe.say(
            "The data protection authority of the place where you live",
            "您居住地的个人信息保护监管机构",
        ));
    }
    vec![Block::Paragraph(ask), Block::Paragraph(free), Block::List(authorities)]
}

/// Whom people turn to under a law, where it is known by name. LAW: PIPL 65; GDPR 77.
fn authority(scribe: &Scribe<'_>, law: &Pack) -> Option<Line> {
    Some(match law.id.as_str() {
        "cn" => scribe.say(
            "China: the cyberspace administration (12377.cn, telephone 12377); as a consumer also 12315",
            "中国：网信部门（12377.cn，电话12377）；消费纠纷也可拨打12315",
        ),
        "eu" => scribe.say(
            "European Union: the data protection authority of the country where you live or work, or where it happened",
            "欧盟：您居住地、工作地或者事件发生地所在成员国的数据保护监管机构",
        ),
        "uk" => scribe.say(
            "United Kingdom: the Information Commission (ico.org.uk)",
            "英国：信息委员会（ico.org.uk）",
        ),
        "us-ca" => scribe.say(
            "California: the California Privacy Protection Agency (cppa.ca.gov) and the Attorney General (oag.ca.gov)",
            "美国加利福尼亚州：加州隐私保护局（cppa.ca.gov）和州总检察长（oag.ca.gov）",
        ),
        _ => return None,
    })
}

pub(super) fn changes(scribe: &Scribe<'_>) -> Vec<Block> {
    let (shop, edition) = (&scribe.policy.shop, scribe.edition);
    let version = match edition.version {
        Some(number) => Line::own(number.to_string()),
        None => scribe.say("a draft, not yet published", "草稿，尚未发布"),
    };
    let mut facts = vec![(scribe.say("Version", "版本"), vec![version])];
    if let Some(day) = edition.in_force {
        facts.push((scribe.say("Holds since", "生效日期"), vec![scribe.in_zone(day)]));
    }
    facts.push((
        scribe.say("Last read from end to end", "最近一次全面复核"),
        vec![scribe.in_zone(shop.reviewed)],
    ));
    let told = scribe.say(
        "If we want to use your data for something else, use more of it, or give it to somebody else, we tell you before that \
         begins. Where it rests on your consent we ask you again; until you have said yes, nothing of it happens. That you go \
         on using the shop is never taken for consent.",
        "如需将您的个人信息用于新的目的、收集更多信息或者提供给新的接收方，我们会事先告知您。以您的同意为依据的，我们会重新征得您的同意；\
         在您同意之前，不会开始处理。您继续使用本店，不视为同意。",
    );
    let versions = scribe.fill(
        "Older versions stay to be read, with what each changed: {0}.",
        "历史版本及各版本之间的差异可随时查阅：{0}。",
        &[scribe.link("all versions", "全部版本", edition.links.versions)],
    );
    vec![Block::Facts(facts), Block::Paragraph(told), Block::Paragraph(versions)]
}

impl Scribe<'_> {
    /// A day, with the zone in which it begins.
    fn in_zone(&self, day: jiff::civil::Date) -> Line {
        self.fill("{0} ({1})", "{0}（{1}）", &[self.day(day), Line::own(self.policy.shop.zone.clone())])
    }
}
