//! Which vector instructions the machine has. The innermost loops are written once for any machine and, on
//! x86-64, compiled or written again for AVX2 and AVX-512, of which the best that the machine has is chosen when
//! it runs. All give the same answers; tests compare them. Under Miri the plain ones are taken.

use std::sync::OnceLock;

/// Vector instructions that are used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Anything.
    Plain,
    /// 256 bits at a time.
    Avx2,
    /// 512 bits at a time, comparisons straight to bits.
    Avx512,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

/// The best level that this machine has, or what [`use_at_most`] left of it.
pub(crate) fn level() -> Level {
    *LEVEL.get_or_init(detect)
}

/// Does without instructions of higher levels from now on, which is the same answer, later: for
/// measurements that shall not depend on the machine. Gives the level that is used; where something was
/// evaluated before, it stays as it was.
pub fn use_at_most(most: Level) -> Level {
    *LEVEL.get_or_init(|| detect().min(most))
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn detect() -> Level {
    let wide = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vpopcntdq");
    let middle = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt");
    match (middle, wide) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Plain,
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn detect() -> Level {
    Level::Plain
}

/// Defines a function that runs one body, compiled anew for each level. Whoever uses it allows unsafe code: a
/// function compiled for AVX may only be called where the machine has it.
macro_rules! compiled_for_each_level {
    ($(#[$doc:meta])* $vis:vis $name:ident, $at:ident, ($($argument:ident: $type:ty),*) $(-> $result:ty)?, $body:ident) => {
        $(#[$doc])*
        $vis fn $name($($argument: $type),*) $(-> $result)? {
            $at($crate::levels::level(), $($argument),*)
        }

        fn $at(level: $crate::levels::Level, $($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,bmi1,bmi2,popcnt")]
                fn wide($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                fn middle($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                match level {
                    // SAFETY: `detect` found these features.
                    $crate::levels::Level::Avx512 => return unsafe { wide($($argument),*) },
                    // SAFETY: likewise.
                    $crate::levels::Level::Avx2 => return unsafe { middle($($argument),*) },
                    $crate::levels::Level::Plain => {}
                }
            }
            let _ = level;
            $body($($argument),*)
        }
    };
}

pub(crate) use compiled_for_each_level;

/// All levels that this machine has.
#[cfg(test)]
pub(crate) fn levels() -> Vec<Level> {
    [Level::Plain, Level::Avx2, Level::Avx512].into_iter().filter(|at| *at <= level()).collect()
}
