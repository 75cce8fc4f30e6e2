//! What is declared of a column, as it is written.

use super::{Calendar, Printer, label};
use crate::program::{Column, Program, Type};

/// Type, `?` and domain of a column: `int? between 0 and 120`. Labelled types with their labels.
pub fn column(program: &Program, calendar: &dyn Calendar, column: &Column) -> String {
    let printer = Printer::new(program, calendar);
    let optional = match (column.optional, &column.ty) {
        (false, _) => "",
        // The mark belongs to the whole type, not to the last label.
        (true, Type::Label(_)) => " ?",
        (true, _) => "?",
    };
    let domain = column.domain.as_ref().map_or(String::new(), |domain| printer.domain(domain, &column.ty));
    format!("{}{optional}{domain}", type_text(program, &printer, &column.ty))
}

fn type_text(program: &Program, printer: &Printer<'_>, ty: &Type) -> String {
    match ty {
        Type::Label(id) => {
            let Some(ty) = program.label_type(*id) else { return String::new() };
            let labels: Vec<String> = ty.labels.iter().map(|text| label(text)).collect();
            labels.join(if ty.ordered { " < " } else { " | " })
        }
        Type::List(item) => format!("list of {}", type_text(program, printer, item)),
        other => printer.ty(other),
    }
}
