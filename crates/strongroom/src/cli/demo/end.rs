//! What is left to look at while the server stays up.

use super::paper::both;
use super::stage::{Stage, Stop, Who};

/// Prints where to look, and commands to try. Every address was asked before it is printed.
pub(super) async fn look_around(stage: &mut Stage) -> Result<(), Stop> {
    let speaks = stage.language();
    let (api, admin) =
        (format!("http://{}", stage.listening.api), format!("http://{}", stage.listening.admin));
    stage.paper.step(
        None,
        &both!(
            speaks,
            "Look around: the server stays up until Ctrl-C",
            "四处看看：服务器一直运行，按 Ctrl-C 结束"
        ),
    );
    let shop = super::shop::open(stage).await?;
    stage.paper.say(&both!(
        speaks,
        "A small shop, with the banner, the notice and My data of two of its customers:",
        "一家小店，可以看到横幅、隐私政策，以及两位顾客的“我的数据”："
    ));
    let port = shop.port();
    for language in ["zh", "en"] {
        stage.paper.say(&format!("http://localhost:{port}/?lang={language}"));
    }
    stage.paper.gap();
    let places = [
        (true, "/docs", both!(speaks, "the API, browsable", "接口文档，可浏览")),
        (true, "/metrics", both!(speaks, "figures for whoever watches", "监控指标")),
        (false, "/openapi.json", both!(speaks, "OpenAPI 3.1", "接口定义（OpenAPI 3.1）")),
        (false, "/ledger/checkpoint", both!(speaks, "the signed head of the ledger", "账本的签名头")),
        (false, "/health/ready", both!(speaks, "is it ready", "是否就绪")),
    ];
    let mut rows = Vec::new();
    for (at_admin, path, what) in places {
        let answer = if at_admin {
            stage.send_to_admin_door(path).await?
        } else {
            stage.send(Who::Stranger, "GET", path, None).await?
        };
        if answer.status != 200 {
            let status = answer.status;
            return Err(Stop::Wrong(both!(
                speaks,
                "{path} answers 200 (it was {status})",
                "{path} 应答 200（实际为 {status}）"
            )));
        }
        let door = if at_admin { &admin } else { &api };
        rows.push(vec![format!("{door}{path}"), what]);
    }
    let head = [both!(speaks, "address", "地址"), both!(speaks, "what it is", "内容")];
    stage.paper.table(&head, &rows);
    stage.paper.gap();

    let other = stage.customers.get(1).cloned();
    let order = other.map(|customer| customer.order).unwrap_or_default();
    stage.paper.say(&both!(
        speaks,
        "In another terminal, with credentials of this demonstration:",
        "在另一个终端里，用本次演示的凭证："
    ));
    for (name, who) in [("WAREHOUSE", Who::Warehouse), ("OFFICER", Who::Officer), ("ADMIN", Who::Admin)] {
        let credential = stage.credential(who).unwrap_or_default().to_owned();
        stage.paper.command(&[&format!("{name}={credential}")]);
    }
    stage.paper.command(&[&format!("API={api}")]);
    let of_order = format!("\"record\":{{\"kind\":\"order\",\"external_id\":\"{order}\"}}");
    let asked = [
        ("WAREHOUSE", "/v1/records:reveal", format!("{{\"purpose\":\"delivery\",{of_order}}}")),
        (
            "WAREHOUSE",
            "/v1/records:reveal",
            format!("{{\"purpose\":\"delivery\",{of_order},\"fields\":[\"amount\"]}}"),
        ),
        ("OFFICER", "/v1/subjects:find", format!("{{{of_order}}}")),
    ];
    for (who, path, body) in asked {
        stage.paper.gap();
        stage.paper.command(&[&format!("curl -s $API{path}"), &bearer(who), &format!("-d '{body}'")]);
    }
    stage.paper.gap();
    stage.paper.command(&["curl -s \"$API/v1/ledger/entries?limit=3\"", &bearer("OFFICER")]);
    stage.paper.command(&["curl -s $API/v1/policy", &bearer("ADMIN")]);
    stage.paper.command(&[&format!("strongroom ledger verify --data {}/vault", stage.folder.display())]);
    stage.paper.end_step();
    Ok(())
}

fn bearer(who: &str) -> String {
    format!("-H \"Authorization: Bearer ${who}\"")
}
