//! The live graph of one subscriber: `GET /subscribers/{id}/live`, asked for by htmx every few seconds.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::RateSample;
use crate::domain::id::SubscriberId;
use crate::domain::rate::Kbps;
use crate::operations::live_rate::{self, Live};
use crate::web::chart::Sparkline;
use crate::web::error::Reply;
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;

/// The speed now and the graph, or why there is none.
#[derive(Template, Default)]
#[template(path = "pages/subscribers/_live.html")]
pub struct LivePart {
    pub graph: Option<Graph>,
    pub note: String,
}

#[derive(Clone, Default)]
pub struct Graph {
    pub download: String,
    pub upload: String,
    pub download_line: Sparkline,
    pub upload_line: Sparkline,
}

pub async fn live(Path(id): Path<u32>, signed: Signed) -> Reply {
    let live = live_rate::now(signed.app(), SubscriberId(id)).await?;
    Ok(Page::ok(part(live)).into_response())
}

fn part(live: Live) -> LivePart {
    match live {
        Live::Rates(samples) => LivePart {
            graph: graph(&samples),
            note: "Nothing was measured yet.".to_owned(),
        },
        Live::Offline => LivePart {
            graph: None,
            note: "Offline.".to_owned(),
        },
        Live::Silent(note) => LivePart { graph: None, note },
    }
}

fn graph(samples: &[RateSample]) -> Option<Graph> {
    let last = samples.last()?;
    let values = |of: fn(&RateSample) -> u64| samples.iter().map(of).collect::<Vec<u64>>();
    let (down, up) = (values(|s| s.download_bps), values(|s| s.upload_bps));
    // Both lines have one scale, so that they can be compared.
    let top = down.iter().chain(&up).copied().max().unwrap_or(0);
    let speed = |bps: u64| Kbps(bps / 1_000).to_string();
    Some(Graph {
        download: speed(last.download_bps),
        upload: speed(last.upload_bps),
        download_line: Sparkline::new(&down, top, "Download speed, the last three minutes"),
        upload_line: Sparkline::new(&up, top, "Upload speed, the last three minutes"),
    })
}
