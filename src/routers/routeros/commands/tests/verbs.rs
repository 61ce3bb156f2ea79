//! What all menus share.

use super::*;

#[tokio::test]
async fn a_menu_without_its_row_is_an_error() {
    let name = dialogue(
        |router| async move { system::identity(&router).await },
        &[(
            &["/system/identity/print", "=.proplist=name"],
            &[&["!empty"]],
        )],
    )
    .await;
    let expected = ApiError::Value {
        field: "the only row",
        text: String::new(),
    };
    assert_eq!(name, Err(expected));
}

#[tokio::test]
async fn the_verbs_of_all_menus() {
    let result: Result<(), ApiError> = dialogue(
        |router| async move {
            let attributes = [("name", "isp-a"), ("kind", "pcq")];
            let item = add(&router, queues::TYPE, &attributes).await?;
            assert_eq!(item.to_string(), "*1A");
            set(&router, queues::TYPE, &item, &[("kind", "sfq")]).await?;
            unset(&router, queues::SIMPLE, &item, "comment").await?;
            move_before(&router, queues::SIMPLE, &item, Some(&id("*2"))).await?;
            move_before(&router, queues::SIMPLE, &item, None).await?;
            let rows = print(
                &router,
                queues::TREE,
                ".id,name",
                &["name=a", "name=b", "#|"],
            )
            .await?;
            assert_eq!(rows[0].attribute("name"), Some(b"a".as_slice()));
            assert_eq!(ItemId::of(&rows[0])?, id("*1"));
            remove(&router, queues::TREE, &item).await?;
            remove(&router, queues::TREE, &item).await?;
            let error = remove(&router, queues::TREE, &item).await.unwrap_err();
            assert!(error.is_forbidden());
            let error = set(&router, queues::TREE, &item, &[]).await.unwrap_err();
            assert!(error.is_missing(), "only what is removed may be gone");
            let error = add(&router, queues::TREE, &[]).await.unwrap_err();
            assert!(
                matches!(error, ApiError::Value { field: "ret", .. }),
                "{error}"
            );
            Ok(())
        },
        &[
            (
                &["/queue/type/add", "=name=isp-a", "=kind=pcq"],
                &[&["!done", "=ret=*1A"]],
            ),
            (&["/queue/type/set", "=.id=*1A", "=kind=sfq"], &[]),
            (
                &["/queue/simple/unset", "=.id=*1A", "=value-name=comment"],
                &[],
            ),
            (
                &["/queue/simple/move", "=numbers=*1A", "=destination=*2"],
                &[],
            ),
            (&["/queue/simple/move", "=numbers=*1A"], &[]),
            (
                &[
                    "/queue/tree/print",
                    "?name=a",
                    "?name=b",
                    "?#|",
                    "=.proplist=.id,name",
                ],
                &[&["=.id=*1", "=name=a"]],
            ),
            (&["/queue/tree/remove", "=.id=*1A"], &[]),
            (
                &["/queue/tree/remove", "=.id=*1A"],
                &[&["!trap", "=message=no such item"]],
            ),
            (
                &["/queue/tree/remove", "=.id=*1A"],
                &[&["!trap", "=message=not enough permissions (9)"]],
            ),
            (
                &["/queue/tree/set", "=.id=*1A"],
                &[&["!trap", "=message=no such item"]],
            ),
            (&["/queue/tree/add"], &[]),
        ],
    )
    .await;
    assert_eq!(result, Ok(()));
}
