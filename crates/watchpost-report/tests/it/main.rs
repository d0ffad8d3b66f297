//! Reports as their readers get them.

mod company;
mod formats;
mod page;
