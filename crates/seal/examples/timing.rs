//! Does a comparison take longer the more of a guess is right? `cargo xtask timing` runs this on a release build.
//!
//! SOURCE: dudect, Reparaz and others 2017: two classes of inputs in random order, the time of each call, Welch's t-test over
//! them. A |t| above 10 says that the classes can be told apart. One run may be disturbed by a neighbour, so the least of
//! three counts. The control compares with `==`: if that cannot be told apart either, the measurement is worth nothing here,
//! and that is said and fails.
#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the figures are what it is for")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use seal::{Class, EpochKey, Error, Random, Secret, ShopKeyRows, ShopKeys, Suite, same};

/// Calls of one run, in both classes together.
const CALLS: usize = 200_000;
/// Comparisons within one call: the clock is coarser than one of them.
const REPEATED: usize = 16;
/// From here on two classes can be told apart. SOURCE: dudect takes 10 for "definitely".
const APART: f64 = 10.0;

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        // SOURCE: splitmix64, Steele and others 2014.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Random for Dice {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        for byte in buffer {
            *byte = self.roll().to_le_bytes()[0];
        }
        Ok(())
    }
}

/// |t| of the times that `call` takes on two classes of guesses.
fn t_of(dice: &mut Dice, wrong_early: &[u8], wrong_late: &[u8], call: &mut dyn FnMut(&[u8]) -> bool) -> f64 {
    // Both classes are compared out of one buffer, so that its place in memory says nothing.
    let mut guess = wrong_early.to_vec();
    let (mut early, mut late) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for _ in 0..CALLS {
        let is_late = dice.roll() & 1 == 1;
        guess.copy_from_slice(if is_late { wrong_late } else { wrong_early });
        let began = Instant::now();
        for _ in 0..REPEATED {
            black_box(call(black_box(&guess)));
        }
        let took = began.elapsed().as_nanos();
        if is_late { late.push(took) } else { early.push(took) }
    }
    // What an interrupt took says nothing of the comparison: the slowest tenth of all is left out.
    let mut all: Vec<u128> = early.iter().chain(&late).copied().collect();
    all.sort_unstable();
    let most = all.get(all.len() / 10 * 9).copied().unwrap_or(u128::MAX);
    let (early, late) = (Moments::of(&early, most), Moments::of(&late, most));
    ((early.mean - late.mean) / (early.spread + late.spread).sqrt()).abs()
}

struct Moments {
    mean: f64,
    /// Variance over count.
    spread: f64,
}

impl Moments {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a short call fit")]
    fn of(times: &[u128], most: u128) -> Moments {
        let kept: Vec<f64> = times.iter().filter(|time| **time <= most).map(|time| *time as f64).collect();
        let count = kept.len().max(2) as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Moments { mean, spread: (variance / count).max(f64::MIN_POSITIVE) }
    }
}

fn least_of_three(name: &str, dice: &mut Dice, right: &[u8], call: &mut dyn FnMut(&[u8]) -> bool) -> f64 {
    let (mut early, mut late) = (right.to_vec(), right.to_vec());
    if let Some(first) = early.first_mut() {
        *first ^= 0x80;
    }
    if let Some(last) = late.last_mut() {
        *last ^= 0x80;
    }
    let runs: Vec<f64> = (0..3).map(|_| t_of(dice, &early, &late, call)).collect();
    let least = runs.iter().copied().fold(f64::INFINITY, f64::min);
    let shown: Vec<String> = runs.iter().map(|run| format!("{run:.1}")).collect();
    println!("{name:<44} |t| {}  least {least:.1}", shown.join(" "));
    least
}

fn main() -> Result<ExitCode, Error> {
    let dice = &mut Dice(7);
    let mut secret = [0; 32];
    dice.fill(&mut secret)?;
    let mut long = vec![0; 1 << 10];
    dice.fill(&mut long)?;
    let epoch = EpochKey::new(1, &Secret::random(dice)?)?;
    let rows = ShopKeyRows {
        wraps: vec![(1, epoch.new_shop_key(1, Class::Wrap, Suite::Aes256Gcm, dice)?)],
        index: epoch.new_shop_key(1, Class::Index, Suite::Aes256Gcm, dice)?,
        row: epoch.new_shop_key(1, Class::Row, Suite::Aes256Gcm, dice)?,
        request: epoch.new_shop_key(1, Class::Request, Suite::Aes256Gcm, dice)?,
    };
    let keys = ShopKeys::open(1, &[epoch], &rows)?;
    let mac = keys.row_mac("credential", &[b"columns"])?;

    // The control, on as many bytes as the shortest that it is told apart by on any machine.
    let control = {
        let right = long.clone();
        least_of_three("control: 1 KiB with `==`", dice, &long, &mut |guess| black_box(&right)[..] == *guess)
    };
    let mut worst = 0.0_f64;
    let right = long.clone();
    worst =
        worst.max(least_of_three("same: 1 KiB", dice, &long, &mut |guess| same(black_box(&right), guess)));
    worst = worst.max(least_of_three("same: a credential's hash, 32 bytes", dice, &secret, &mut |guess| {
        same(black_box(&secret), guess)
    }));
    worst = worst.max(least_of_three("a row's MAC, 16 bytes", dice, &mac, &mut |guess| {
        keys.row_is_whole("credential", &[b"columns"], guess).is_ok()
    }));
    if control < APART {
        println!("the control cannot be told apart: this machine is too noisy, and nothing was measured");
        return Ok(ExitCode::FAILURE);
    }
    if worst >= APART {
        println!("a comparison takes longer, the more of a guess is right");
        return Ok(ExitCode::FAILURE);
    }
    println!("no comparison can be told apart (below {APART}), and the control can");
    Ok(ExitCode::SUCCESS)
}
