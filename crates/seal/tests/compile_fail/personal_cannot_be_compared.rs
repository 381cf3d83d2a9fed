fn main() {
    let one = seal::Personal::new(String::from("1"));
    let two = seal::Personal::new(String::from("2"));
    let _ = one == two;
}
