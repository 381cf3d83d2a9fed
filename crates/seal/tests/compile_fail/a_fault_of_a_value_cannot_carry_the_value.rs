fn main() {
    let phone = seal::Personal::new(String::from("138 0000 0000"));
    let _ = phone.try_map(|plain| -> Result<String, String> { Err(plain.clone()) });
}
