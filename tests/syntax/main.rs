//! What the parser makes of texts: the shapes of trees, and that no text makes it fail.

mod robust;
mod shapes;
mod show;
