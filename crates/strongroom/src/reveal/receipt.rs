//! The receipt of a choice, for whoever answers the person.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use ledger::entry::{Act, Outcome};
use store::Lane;

use super::search::enter_under;
use crate::choose::{self, ChoiceReceiptBody, ChoiceRow};
use crate::ground::problem::ProblemBody;
use crate::ground::web::{Request, answer};
use crate::ground::work::Work;
use crate::ground::{ChoiceId, Deed, Id, Problem};
use crate::keep;

/// The receipt of a choice, to be handed to whoever chose: the record of the choice, signed, and the ledger's receipt. The
/// look is entered.
#[utoipa::path(get, path = "/v1/choices/{id}/receipt", tag = "choices",
    params(("id" = String, Path, description = "The choice's public id, `cho_…`")),
    responses((status = 200, description = "The receipt: docs/spec/receipt.md", body = ChoiceReceiptBody),
              (status = 404, description = "No such choice", body = ProblemBody),
              (status = 409, description = "The notice of that version says nothing of this purpose", body = ProblemBody),
              (status = 410, description = "Its subject has been erased", body = ProblemBody)))]
pub(crate) async fn get_receipt(request: Request) -> Result<Response<Body>, Problem> {
    let (house, caller) = (request.house, request.caller);
    let choice: ChoiceId = house.ids.read(&request.target).map_err(|_| keep::error::not_found())?;
    let committed = house
        .work(Lane::High, &caller.shop, &caller.actor, move |work| {
            work.must_be_allowed(Deed::Find)?;
            look_at(choice, work)
        })
        .await?;
    let (row, key) = committed.into_value();
    let made = choose::receipts(&house, &caller.shop, (choice.subject(), &key), &[row]).await?;
    let receipt = made.into_iter().next().ok_or_else(unsaid)?;
    let mut response = answer(StatusCode::OK, &receipt);
    let file = HeaderValue::from_static("attachment; filename=\"receipt.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
    Ok(response)
}

/// A choice of this shop, and the key of whoever made it. Records: *found*.
fn look_at(choice: ChoiceId, work: &mut Work<'_, '_>) -> Result<(ChoiceRow, Arc<seal::DataKey>), Problem> {
    let subject = choice.subject();
    let row = keep::find_subject(work.tx, work.shop, subject)?.ok_or_else(keep::error::not_found)?;
    let main = row.key(seal::Class::Main).ok_or_else(keep::error::erased)?;
    let key = work.shop.keys.open_key(subject.number(), main)?;
    let chosen = choose::chosen(work.tx, work.shop, subject, work.now)?;
    let rows = choose::list_all(work.view(), work.shop, subject, chosen.count)?;
    let row = rows.into_iter().find(|row| row.id == choice).ok_or_else(keep::error::not_found)?;
    enter_under(subject, work.entry(Act::Found, Outcome::Yes), work)?;
    Ok((row, key))
}

fn unsaid() -> Problem {
    Problem::new("SR-CHOOSE-008", 409, "the notice of that version says nothing of this purpose").help(
        "so nobody can say what was shown; the receipt that the choice was answered with proves it by itself",
    )
}
