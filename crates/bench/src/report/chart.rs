//! The ratios as a picture: a bar for each path and store, its spread, and the target.

use anyhow::{Result, anyhow};
use plotters::prelude::{
    BLACK, ChartBuilder, Color as _, IntoDrawingArea as _, PathElement, RED, RGBColor, Rectangle, SVGBackend, WHITE,
};

use super::StoreReport;
use crate::measure::PathReport;
use crate::numbers::float;

const WIDTH: u32 = 900;
const HEAD: u32 = 90;
const ROW: u32 = 36;
const BAR: RGBColor = RGBColor(70, 120, 180);

/// Draws SVG.
pub(super) fn draw(stores: &[StoreReport]) -> Result<String> {
    let rows: Vec<(String, &PathReport)> = stores.iter().flat_map(of_store).collect();
    let mut svg = String::new();
    let height = HEAD + ROW * u32::try_from(rows.len())?;
    paint(&rows, height, &mut svg).map_err(|error| anyhow!("the chart cannot be drawn: {error}"))?;
    Ok(svg)
}

fn of_store(store: &StoreReport) -> impl Iterator<Item = (String, &PathReport)> {
    store.paths.iter().map(|path| (format!("{}, {}", path.name, store.store), path))
}

fn paint(rows: &[(String, &PathReport)], height: u32, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let widest =
        rows.iter().map(|(_, path)| path.ratio.most.max(path.target.unwrap_or_default())).fold(1.0, f64::max) * 1.05;
    let bottom = float(u64::try_from(rows.len())?);
    let mut chart = ChartBuilder::on(&area)
        .caption("Throughput as a part of the bare control's (red: the target)", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(220)
        .build_cartesian_2d(0.0..widest, bottom..0.0)?;
    let name =
        |position: &f64| rows.iter().zip(0_u32..).find(|(_, row)| (f64::from(*row) + 0.5 - position).abs() < 0.01);
    let label = |position: &f64| name(position).map(|((name, _), _)| name.clone()).unwrap_or_default();
    chart.configure_mesh().disable_y_mesh().y_labels(2 * rows.len() + 1).y_label_formatter(&label).draw()?;
    for ((_, path), row) in rows.iter().zip(0_u32..) {
        let (top, middle, end) = (f64::from(row) + 0.2, f64::from(row) + 0.5, f64::from(row) + 0.8);
        let line = |from, to, color: RGBColor| PathElement::new(vec![from, to], color.stroke_width(2));
        chart.draw_series([Rectangle::new([(0.0, top), (path.ratio.median, end)], BAR.filled())])?;
        chart.draw_series([line((path.ratio.least, middle), (path.ratio.most, middle), BLACK)])?;
        chart.draw_series(path.target.map(|target| line((target, top), (target, end), RED)))?;
    }
    area.present()?;
    Ok(())
}
