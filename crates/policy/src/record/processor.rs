//! The sheet of what the shop does with data on behalf of others: GDPR 30(2), PIPL 59. A policy says what a shop does as
//! a controller, so nearly all of it is for a person.

use super::scribe::Scribe;
use super::{Cell, Filled, Law, Sheet, both, cites, filled, row};
use crate::model::Shop;

/// One row, to be filled in and copied for each customer on whose behalf the shop acts.
pub(super) fn sheet(scribe: &Scribe<'_>) -> Sheet {
    let columns = match scribe.law {
        Law::Gdpr30 => GDPR,
        Law::Cn => CN,
    };
    let title = scribe.say("on behalf of others", "受他人委托");
    Sheet {
        key: "processor",
        title: both("On behalf of others", "受托处理"),
        columns: columns.iter().map(|filled| filled.column).collect(),
        rows: vec![row(scribe, columns, "on_behalf", &title, &scribe.policy.shop)],
    }
}

const GDPR: &[Filled<Shop>] = &[
    filled("customer", both("On whose behalf", "委托方"), cites::GDPR_PROCESSOR_RECORD, 40, customer),
    filled(
        "processing",
        both("Categories of processing", "处理类别"),
        cites::GDPR_PROCESSOR_RECORD,
        36,
        processing,
    ),
    filled(
        "sub_processors",
        both("Sub-processors", "次级处理者"),
        cites::GDPR_PROCESSORS,
        28,
        sub_processors,
    ),
    filled("transfers", both("Transfers", "传输"), cites::GDPR_PROCESSOR_RECORD, 32, transfers),
    filled("measures", both("Security measures", "安全措施"), cites::GDPR_PROCESSOR_RECORD, 36, measures),
    filled("contract", both("Contract", "合同"), cites::GDPR_PROCESSORS, 28, contract),
];

const CN: &[Filled<Shop>] = &[
    filled("customer", both("On whose behalf", "委托方"), cites::PIPL_ENTRUSTED, 40, customer),
    filled(
        "processing",
        both("Categories of processing", "受托处理内容"),
        cites::PIPL_ENTRUSTED,
        36,
        processing,
    ),
    filled("sub_processors", both("Entrusted onwards", "转委托"), cites::CN_AGREEMENTS, 28, sub_processors),
    filled("transfers", both("Export", "出境"), cites::PIPL_EXPORT, 32, transfers),
    filled("measures", both("Security measures", "安全措施"), cites::PIPL_ENTRUSTED, 36, measures),
    filled("contract", both("Contract", "合同"), cites::CN_AGREEMENTS, 28, contract),
];

fn customer(scribe: &Scribe<'_>, _: &Shop) -> Cell {
    scribe.task(
        "on whose behalf the shop processes data, with contact; or that it does so for nobody, which settles this row",
        "店铺受谁委托处理个人信息及其联系方式；如不受任何人委托，请写明，本行即告完成",
    )
}

fn processing(scribe: &Scribe<'_>, _: &Shop) -> Cell {
    scribe.task("what the shop does with those data", "店铺受托进行的处理")
}

fn sub_processors(scribe: &Scribe<'_>, _: &Shop) -> Cell {
    scribe.task("whom the shop passes them on to; or nobody", "店铺再委托给谁；如无，请写明")
}

fn transfers(scribe: &Scribe<'_>, _: &Shop) -> Cell {
    scribe.task(
        "to which countries they go, with the safeguard; or nowhere",
        "传往哪些国家及保障措施；如无，请写明",
    )
}

fn measures(scribe: &Scribe<'_>, _: &Shop) -> Cell {
    scribe.known(
        "those of the general sheet, for what is kept in Strongroom",
        "存入Strongroom的数据适用总体情况中的措施",
    )
}

fn contract(scribe: &Scribe<'_>, _: &Shop) -> Cell {
    scribe.task("the contract, and when it was signed", "合同及签订日期")
}
