fn main() {
    let phone = seal::Personal::new(String::from("138 0000 0000"));
    let _copy: seal::Personal<String> = phone.clone();
}
