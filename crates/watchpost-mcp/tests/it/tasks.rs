//! Tasks belong to the key whose call created them.

use crate::world::World;
use serde_json::{Value, json};
use std::sync::Arc;
use watchpost_core::access::WorkspaceScope;

async fn send(world: &World, scope: &Arc<WorkspaceScope>, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {
            "extensions": {"io.modelcontextprotocol/tasks": {}}
        }
    });
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    world.send(scope, &message).await.0
}

// TKX-02, TKX-05, TKX-09
#[tokio::test]
async fn another_keys_task_is_unknown() {
    let world = World::company().await;
    let call = json!({"name": "trigger_sync", "arguments": {}});
    let begun = send(&world, &world.writer, "tools/call", call).await;
    assert_eq!(begun["result"]["resultType"], "task", "{begun}");
    let id = begun["result"]["taskId"].clone();
    let own = send(&world, &world.writer, "tasks/get", json!({"taskId": id})).await;
    assert_eq!(own["result"]["status"], "working", "right after the call: {own}");

    let params = |id: &Value| json!({"taskId": id, "inputResponses": {}});
    for scope in [&world.reader, &world.stranger] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let foreign = send(&world, scope, method, params(&id)).await;
            let unknown = send(&world, scope, method, params(&json!("bm9uZSBzdWNo"))).await;
            assert_eq!(foreign["error"]["code"], -32602, "{method}: {foreign}");
            assert_eq!(foreign, unknown, "{method}");
        }
    }
    let own = send(&world, &world.writer, "tasks/get", json!({"taskId": id})).await;
    assert_eq!(own["result"]["status"], "working", "other keys did not cancel it");
}
