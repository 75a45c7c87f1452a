//! What else the operator does.

use super::*;

#[tokio::test]
async fn everybody_reads_what_is_announced() {
    let running = start();
    let code = code(&running).await;
    let mut peer = running.join("Bob").await;
    let text = "Back in five minutes.";
    act(&running, json!({"action": "announce", "text": text})).await.expect(204);
    let contains =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    while !contains(&peer.frame().await.expect("it is told").1, text) {}
    act(&running, json!({"action": "announce", "text": "Here only.", "session": code}))
        .await
        .expect(204);
    while !contains(&peer.frame().await.expect("it is told").1, "Here only.") {}
    act(&running, json!({"action": "announce", "text": " \n "})).await.problem(422);
    act(&running, json!({"action": "announce", "text": "x", "session": "00000-00000"}))
        .await
        .problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_muted_is_marked_so_and_a_session_ends_when_the_operator_says_so() {
    let running = start();
    let code = code(&running).await;
    let mut ear = listen(&running, &format!("?session={code}")).await;
    let mut bob = running.join("Bob").await;
    let lines = people(&running, &code, 1).await;
    let player = number_of(&lines, "Bob");
    act(&running, json!({"action": "mute", "session": code, "player": player, "muted": true}))
        .await
        .expect(204);
    assert_eq!(people(&running, &code, 1).await[0][2], 8);
    act(&running, json!({"action": "end_session", "session": code})).await.expect(204);
    let (close, told) = bob.closing().await.expect("a goodbye");
    assert!(close == 4013 && told.contains("operator"), "{close} {told}");
    ear.next("over").await.expect("the viewer is told, and the stream goes on");
    ear.next("overview").await.expect("it goes on");
    act(&running, json!({"action": "end_session", "session": code})).await.problem(404);
    running.stop().await.unwrap();
}
